import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const at = (path: string) => JSON.stringify(new URL(`../../../deployer/host/${path}`, import.meta.url).href);

/** What `expression` comes to in a process that can open no more files. */
async function withoutFiles(imports: string, expression: string): Promise<string> {
  const code = `
    import { openSync } from 'node:fs';
    ${imports}
    try { for (;;) openSync('/dev/null'); } catch {}
    const said = await Promise.resolve().then(() => ${expression}).catch((error) => error.code);
    console.log(String(said));`;
  const node = [process.execPath, '--input-type=module', '-e', code];
  const { stdout } = await run('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node]);
  return stdout.trim();
}

it('does not take a process for dead that it cannot look at', async () => {
  const said = withoutFiles(
    `import { isAlive } from ${at('proc.ts')};`,
    `isAlive({ pid: ${process.pid}, startTime: '0' })`,
  );
  expect(await said).toBe('EMFILE');
});

it('does not take a front door for gone that it cannot ask', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'door-'));
  const door = createServer((_, response) => response.end()).listen(join(directory, 'control.sock'));
  try {
    const said = withoutFiles(
      `import { look } from ${at('front-door/state.ts')};`,
      `look(${JSON.stringify(directory)})`,
    );
    expect(await said).toBe('EMFILE');
  } finally {
    door.close();
    await rm(directory, { recursive: true });
  }
});
