import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeEach, afterEach, describe, expect, it } from 'vitest';

const LAUNCH = fileURLToPath(new URL('../../../deployer/cli/launch.mjs', import.meta.url));

async function run(command: string, argv: string[], env = process.env) {
  const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, stdout, stderr };
}

/** A Node of before type stripping, as many a machine has it. */
const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find((candidate) => {
  try {
    return Number(execFileSync(candidate, ['-p', 'process.versions.node']).toString().split('.')[0]) < 24;
  } catch {
    return false;
  }
});

describe('the launcher', () => {
  it('runs the command line, and passes its exit code on', async () => {
    expect(await run(LAUNCH, ['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    const wrong = await run(process.execPath, [LAUNCH, 'depoly', '--json']);
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ success: false });
  });

  it.skipIf(oldNode === undefined)(
    "hands over to the project's own runtime where Node is older",
    async () => {
      const ran = await run(String(oldNode), [LAUNCH, 'backup', 'craete', '--json']);
      expect(ran).toMatchObject({ code: 2, stderr: '' });
      expect(ran.stdout).toContain('did you mean backup create?');
    },
  );
});

describe('the launcher of another project', () => {
  let project: string;
  let launch: string;
  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'launch-'));
    await mkdir(join(project, 'deployer/cli'), { recursive: true });
    launch = join(project, 'deployer/cli/launch.mjs');
    await copyFile(LAUNCH, launch);
  });
  afterEach(() => rm(project, { recursive: true }));

  it('says in one line what to do when the dependencies are missing', async () => {
    const ran = await run(process.execPath, [launch, 'status', '--json']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/^deployer: .*npm ci.*\n$/);
    expect(JSON.parse(ran.stdout)).toMatchObject({ success: false, outcome: 'failed' });
  });

  it('keeps what it compiled beside the packages, or in the home where those are not its own', async () => {
    const modules = join(project, 'node_modules');
    await mkdir(join(modules, 'zod'), { recursive: true });
    await writeFile(join(modules, 'zod/package.json'), '{}');
    await writeFile(
      join(project, 'deployer/cli/main.ts'),
      `import { getCompileCacheDir } from 'node:module';
      export const program = () => console.log(getCompileCacheDir());`,
    );
    const env: NodeJS.ProcessEnv = { ...process.env, DEPLOYER_HOME: project };
    // Nothing is kept while coverage is measured.
    for (const name of ['NODE_COMPILE_CACHE', 'NODE_V8_COVERAGE', 'NODE_DISABLE_COMPILE_CACHE'])
      delete env[name];
    const placeOf = async () => (await run(process.execPath, [launch], env)).stdout;
    expect(await placeOf()).toContain(join(modules, '.cache/deployer'));
    // Root may write everywhere.
    if (process.getuid?.() === 0) return;
    await chmod(modules, 0o555);
    expect(await placeOf()).toContain(join(project, 'cache/command-line'));
    await chmod(modules, 0o755);
  });

  it.skipIf(oldNode === undefined)('says what to do where the runtime misses a library', async () => {
    const runtime = join(project, `node_modules/node-linux-${process.arch}/bin`);
    await mkdir(runtime, { recursive: true });
    await mkdir(join(project, 'node_modules/zod'));
    await writeFile(join(project, 'node_modules/zod/package.json'), '{}');
    // As the dynamic loader ends.
    await writeFile(join(runtime, 'node'), '#!/bin/sh\necho libatomic.so.1: cannot open >&2; exit 127\n', {
      mode: 0o755,
    });
    const ran = await run(String(oldNode), [launch, 'status', '--json']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/cannot open\ndeployer: .*apt-get install libatomic1/);
    expect(JSON.parse(ran.stdout)).toMatchObject({ success: false, outcome: 'failed' });
  });

  it.skipIf(oldNode === undefined)('forwards signals to the runtime, and ends as it ends', async () => {
    // Where npm has made no link to it.
    const runtime = join(project, `node_modules/node-linux-${process.arch}/bin`);
    await mkdir(runtime, { recursive: true });
    await mkdir(join(project, 'node_modules/zod'));
    await writeFile(join(project, 'node_modules/zod/package.json'), '{}');
    await symlink(process.execPath, join(runtime, 'node'));
    await writeFile(
      join(project, 'deployer/cli/main.ts'),
      `process.once('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('up');`,
    );
    const child = spawn(String(oldNode), [launch], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });
});
