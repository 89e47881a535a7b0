import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 10;

/** The same runtime for everybody, and nothing of this machine's settings but where its programs are. */
export function environmentWith(more: Record<string, string>): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    LANG: 'C.UTF-8',
    NODE_ENV: 'production',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_loglevel: 'error',
    ...more,
  };
}

interface Command {
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  /** Added to; the end of it is the cause when the program fails. */
  log: string;
}

/** Runs a program to its end. */
export async function run(command: Command): Promise<void> {
  const child = begin(command);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command.argv.join(' ')} ended with ${code}: ${tail(command.log)}`);
}

/** Starts a program that stays. */
export function begin({ argv, cwd, env, log }: Command): ChildProcess {
  const [program = '', ...args] = argv;
  const output = openSync(log, 'a');
  try {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', output, output] });
    child.once('error', () => child.emit('exit', null));
    return child;
  } finally {
    closeSync(output);
  }
}

/** SIGTERM to that very process, and waits for its end. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** SIGTERM to the process whose id a file holds, and waits for its end; none is no error. */
export async function endByFile(file: string): Promise<void> {
  const pid = Number(readIfThere(file));
  if (!Number.isInteger(pid) || pid <= 0) return;
  if (!signalled(pid, 'SIGTERM')) return;
  while (signalled(pid, 0)) await sleep(LOOK_MS);
}

/** false: there is no such process (any more). */
function signalled(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function tail(log: string): string {
  return readIfThere(log).trim().split('\n').slice(-5).join(' | ');
}
