import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../../deployer/problem.ts';
import type { Deployment } from '../../deployer/deployment/model.ts';
import { Stage, waitFor } from '../kit/daemon.ts';
import { behaviour } from '../kit/repository.ts';

const OWN = 'canary "one", \\two\\ & three\nthe second line, "with" \\ too\nno';
const TOKEN = `ghp_${'Ca1n'.repeat(9)}`;

/** In the release: tells all that it can get hold of, in each form that programs are wont to write. */
const LEAK = `
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
const read = (name) => readFileSync(join(process.env.HOME, '..', '..', name), 'utf8').trim();
const secrets = [read('admin-token'), read('webhook-secret'), 'ghp_' + 'Ca1n'.repeat(9), process.env.OWN];
const twice = JSON.stringify({ msg: JSON.stringify(secrets) });
export const everything = [secrets.join(' and '), JSON.stringify(secrets), twice, inspect({ secrets })].join('\\n');
console.log(everything);
console.error(everything);
console.error(JSON.stringify({ level: 50, msg: everything, err: { stack: 'Error: ' + everything } }));
`;
const leaking = (program: string) => `import { everything } from './leak.mjs';\n${program}`;
const report = (text: string) => `process.stdout.write(JSON.stringify(${text})); process.exitCode = 1;`;
const check =
  '{ name: everything, success: false, expected: everything, actual: everything, hint: everything, location: everything }';
const VERIFY = report(
  `{ success: false, suites: [{ name: 'routes', success: false, durationMs: 1, checks: [${check}] }] }`,
);
const MIGRATE = report(
  `{ success: false, applied: ['001_notes'], pending: [], ran: [], error: { migration: null, message: everything, location: everything } }`,
);

let stage: Stage;
const ended: Deployment[] = [];

beforeAll(async () => {
  stage = await Stage.set({
    revert: 'pull-request',
    boot: { timeout: '10s' },
    cutover: { hold: '20s', settle: '5s' },
  });
  await mkdir(join(stage.home, 'secrets'), { recursive: true });
  await writeFile(join(stage.home, 'secrets', 'dev.env'), `OWN="${OWN.replaceAll(/[\\"]/g, '\\$&')}"\n`);
  await stage.start({ logs: true });
  await stage.allLive();
  const [server, migrate, verify] = await Promise.all(
    ['server', 'migrate', 'verify'].map((name) =>
      readFile(join(stage.repository.directory, `${name}.mjs`), 'utf8'),
    ),
  );
  const sane = { 'server.mjs': server ?? '', 'migrate.mjs': migrate ?? '', 'verify.mjs': verify ?? '' };
  const told = (server ?? '').replace("{ status: 'ok' }", '{ status: everything }');
  const releases: Record<string, string>[] = [
    { 'server.mjs': leaking('throw new Error(everything);') },
    { 'server.mjs': leaking(told), 'behaviour.json': behaviour({ version: 'sick', health: 503 }) },
    { 'verify.mjs': leaking(VERIFY) },
    { 'verify.mjs': leaking('process.stdout.write(everything); process.exitCode = 1;') },
    { 'verify.mjs': leaking('throw new Error(everything);') },
    { 'migrate.mjs': leaking(MIGRATE) },
    {
      'server.mjs': leaking((server ?? '').replace("'planted: it ends once live'", 'everything')),
      'behaviour.json': behaviour({ version: 'late', throwLive: true }),
    },
  ];
  for (const [index, files] of releases.entries()) {
    const usual = { ...sane, 'behaviour.json': behaviour({ version: `${index}` }) };
    const commit = await stage.push('dev', `leak ${index}`, { 'leak.mjs': LEAK, ...usual, ...files });
    ended.push(await stage.ended('dev', commit));
  }
  await waitFor('the outbox to be empty', async () =>
    (await stage.daemon.state('outbox').whereNull('delivered_at')).length === 0 ? true : undefined,
  );
});
afterAll(() => stage.strike());

/** What must not be found, also as it stands in JSON and as Node shows it. */
async function needles(): Promise<string[]> {
  const own = OWN.split('\n')
    .filter((line) => line.length >= 6)
    .flatMap((line) => [line, JSON.stringify(line).slice(1, -1), line.replaceAll('\\', '\\\\')]);
  const ofTheHome = ['admin-token', 'webhook-secret'].map((name) => readFile(join(stage.home, name), 'utf8'));
  return [TOKEN, ...own, ...(await Promise.all(ofTheHome)).map((text) => text.trim())];
}

/** Where secrets lie by right, the tree itself, and what an instance writes itself: its log, as on a host the journal, and compiled code. */
const BY_RIGHT = /^(admin-token|webhook-secret|secrets\/.*|logs\/dev-(blue|green|rehearsal)\.log|cache\/.*)$/;

/** What is old is removed meanwhile. */
function ifGone(error: unknown): string {
  if (codeOf(error) === 'ENOENT') return '';
  throw error;
}

async function found(where: string, text: string): Promise<string[]> {
  return (await needles()).filter((needle) => text.includes(needle)).map((needle) => `${where}: ${needle}`);
}

describe('secrets that a release tells wherever it can', () => {
  it('do not keep anybody from seeing why it failed', () => {
    expect(ended.map(({ outcome }) => outcome)).toEqual([...Array(6).fill('rejected'), 'rolled_back']);
    for (const { cause } of ended) expect(cause).toContain('[hidden]');
  });

  it('are in no file of the home', async () => {
    const entries = await readdir(stage.home, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const told = files.filter((file) => !BY_RIGHT.test(relative(stage.home, file)));
    expect(told).toContain(join(stage.home, 'logs', 'deployer.log'));
    for (const file of told)
      expect(await found(relative(stage.home, file), await readFile(file, 'utf8').catch(ifGone))).toEqual([]);
  });

  it('are in no row of the state', async () => {
    for (const table of ['deployments', 'stages', 'suites', 'audit', 'outbox'])
      for (const row of await stage.daemon.state(table))
        for (const text of Object.values(row)) expect(await found(table, String(text))).toEqual([]);
  });

  it('are in nothing that the forge was told', async () => {
    const of = (...args: string[]) => stage.repository.git('--git-dir', stage.repository.origin, ...args);
    const [revert] = ended.slice(-1);
    expect(await of('branch', '--list', 'revert/*')).toContain(revert?.commit.slice(0, 8));
    expect(await found('git', await of('log', '--all', '--notes=deploy', '--format=%B%n%N'))).toEqual([]);
  });

  it('are in no answer of the API and on no page', async () => {
    const { url } = stage.daemon;
    for (const { id } of ended)
      for (const path of [`/deployments/${id}`, `/api/deployments/${id}`, `/api/deployments/${id}/log`, '/'])
        expect(await found(path, await (await fetch(url + path)).text())).toEqual([]);
  });
});
