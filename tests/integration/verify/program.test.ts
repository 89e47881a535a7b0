import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { main } from '../../../verify/main.ts';
import { verify } from '../../../verify/verify.ts';
import { change, databases } from './database.ts';
import { instance, reply } from './instance.ts';

const { copy, home } = databases();

async function run(argv: string[], env: NodeJS.ProcessEnv) {
  let stdout = '';
  let stderr = '';
  const exitCode = await main(argv, env, {
    stdout: { write: (chunk) => (stdout += chunk) },
    stderr: { write: (chunk) => (stderr += chunk) },
  });
  return { exitCode, stdout, stderr };
}

describe('the program', () => {
  test('run as it is prints one JSON object, with all six suites and whole checks, and exits 0', async () => {
    const file = copy();
    const { socket } = await instance({ file });
    const program = path.join(import.meta.dirname, '../../../verify/run.ts');
    const argv = [program, '--url', 'http://datatracker.test', '--socket', socket, '--json'];
    const { DATABASE_URL: _, ...rest } = process.env;
    const env = { ...rest, DATABASE_FILE: file };
    const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [stdout, exitCode] = await Promise.all([
      text(child.stdout),
      new Promise((resolve) => child.once('close', resolve)),
    ]);
    const report = JSON.parse(stdout);
    expect({ exitCode, success: report.success }).toEqual({ exitCode: 0, success: true });
    expect(report.suites.map(({ name }: { name: string }) => name)).toEqual([
      'service',
      'routes',
      'database',
      'content',
      'integrity',
      'regressions',
    ]);
    for (const suite of report.suites) {
      expect(suite).toMatchObject({ success: true, durationMs: expect.any(Number) });
      expect(suite.checks.length).toBeGreaterThan(0);
      for (const check of suite.checks) {
        expect(Object.keys(check)).toEqual(['name', 'success', 'expected', 'actual', 'hint', 'location']);
      }
    }
  });

  test('exits 1 and says what failed, what came, what next and where, for a person and for a program', async () => {
    const file = copy();
    const { socket } = await instance({ file, faults: { 'GET /doc/all/': reply(500) } });
    const argv = ['--url', 'http://datatracker.test', '--socket', socket, '--suite', 'routes'];
    const env = { DATABASE_FILE: file };
    const person = await run(argv, env);
    expect(person.exitCode).toBe(1);
    expect(person.stdout).toMatch(
      /^FAILED {2}routes {2}\d+ checks, \d+ ms\n {2}GET \/doc\/all\/ gave 500\n {4}expected: 200 text\/html with "Documents"\n {4}next: .+\n {4}at app\/documents\/routes\.ts:\d+\n$/,
    );
    const program = JSON.parse((await run([...argv, '--json'], env)).stdout);
    expect(program.suites[0].checks.find(({ success }: { success: boolean }) => !success)).toEqual({
      name: 'GET /doc/all/',
      success: false,
      expected: '200 text/html with "Documents"',
      actual: 'gave 500',
      hint: "look into the instance's log for that request",
      location: expect.stringMatching(/^app\/.+\.ts:\d+$/),
    });
  });

  test('runs only the suites that are asked for, and those without a database need none', async () => {
    const { socket } = await instance({ file: copy() });
    const argv = [
      '--url',
      'http://datatracker.test',
      '--socket',
      socket,
      '--suite',
      'service',
      '--suite',
      'regressions',
    ];
    const { exitCode, stdout } = await run(argv, {});
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok {6}service .+\nok {6}regressions .+\n$/);
  });

  test('reads a large database in threads of their own, with the same findings', async () => {
    const file = copy();
    change(file, 'delete from authors where doc_id = 2');
    const invocation = { url: 'http://x', socket: '/unused', baseline: null, timeoutMs: 1000, json: true };
    const suites = ['database', 'integrity'] as const;
    const judge = (large: number) =>
      verify({ ...invocation, suites: [...suites] }, { DATABASE_FILE: file }, large);
    const [here, apart] = await Promise.all([judge(Infinity), judge(0)]);
    const checksOf = (report: typeof here) => report.suites.flatMap(({ checks }) => checks);
    expect(checksOf(apart)).toEqual(checksOf(here));
    expect(checksOf(apart).filter(({ success }) => !success)).toMatchObject([
      { actual: 'lack one for draft-ada-layer-two' },
    ]);
  });

  test.for([
    [[], {}, '--url is missing'],
    [['--url', 'nowhere'], {}, '--url is no address'],
    [['--url', 'ftp://x'], {}, '--url is neither http nor https'],
    [['--url', 'http://x', '--suite', 'all'], {}, 'unknown suite "all"; there are: service, routes'],
    [['--url', 'http://x', '--timeout', 'soon'], {}, '--timeout is no number of seconds'],
    [['--url', 'http://x', '--fast'], {}, "Unknown option '--fast'"],
    [['--url', 'http://x', '--baseline', '/nowhere.json'], {}, '--baseline does not exist'],
    [['--url', 'http://x'], { DATABASE_FILE: '' }, 'neither DATABASE_FILE nor DATABASE_URL is set'],
    [['--url', 'http://x'], { DATABASE_URL: 'postgres://x' }, 'both DATABASE_FILE and DATABASE_URL are set'],
  ] as [string[], NodeJS.ProcessEnv, string][])(
    'refuses %j: exit 2 and nothing on stdout',
    async ([argv, env, message]) => {
      const { exitCode, stdout, stderr } = await run(argv, { DATABASE_FILE: '/x', ...env });
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toContain(`verify: ${message}`);
    },
  );

  test.for(['{}', 'no json', '{"tables": {"users": {"rows": "3"}}}'])(
    'refuses the baseline %j',
    async (content) => {
      const baseline = path.join(home, 'baseline.json');
      writeFileSync(baseline, content);
      const { exitCode, stderr } = await run(['--url', 'http://x', '--baseline', baseline], {
        DATABASE_FILE: '/x',
      });
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/^verify: --baseline/);
    },
  );
});
