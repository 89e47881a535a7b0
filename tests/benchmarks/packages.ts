import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Absent } from './contestant.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 180_000;

/** pm2's program, installed from the registry of npm's own configuration. */
export async function installPm2(packages: string): Promise<string> {
  const directory = join(packages, 'pm2');
  const program = join(directory, 'node_modules', '.bin', 'pm2');
  if (existsSync(program)) return program;
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'package.json'), '{"private":true}');
  await have('npm install pm2', 'npm', ['install', '--no-audit', '--no-fund', 'pm2'], directory);
  return program;
}

/** Debian's webhook, unpacked and not installed: nothing of this machine is changed. */
export async function installWebhook(packages: string): Promise<string> {
  const directory = join(packages, 'webhook');
  const program = join(directory, 'usr', 'bin', 'webhook');
  if (existsSync(program)) return program;
  await mkdir(directory, { recursive: true });
  await have('apt-get download webhook', 'apt-get', ['download', 'webhook'], directory);
  const [file = ''] = (await readdir(directory)).filter((name) => name.endsWith('.deb'));
  await have('dpkg-deb -x', 'dpkg-deb', ['-x', file, '.'], directory);
  return program;
}

/** @throws Absent with the first line of what it said */
async function have(what: string, program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await run(program, args, { cwd, timeout: TIMEOUT_MS });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    throw new Absent(`${what} failed: ${said.trim().split('\n')[0] || String(error)}`);
  }
}
