import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError, oneLine } from '../problem.ts';
import { giveWay } from './priority.ts';
import { isAlive, startedWith, startTimeOf } from './proc.ts';
import { byStarter } from './starter/client.ts';
import type { ProcessHandle, ProcessSpec, ServiceManager } from './types.ts';

/** Milliseconds between two looks at a process; a look reads one file of /proc. */
const LOOK = 20;

/** Plain processes of this user, each in its own session, so that they outlive the daemon. */
export function processManager(): ServiceManager {
  return { start, alive: isAlive, stop, exited };
}

/** Throws a `FailedError` when the program cannot be started. */
const start = (spec: ProcessSpec) => byStarter('start', spec, {}, () => startHere(spec));

/** The same from this process. */
export async function startHere(spec: ProcessSpec): Promise<ProcessHandle> {
  await endLeftBehind(spec.socket);
  rmSync(spec.socket, { force: true });
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a', 0o600);
  const [program = '', ...args] = spec.argv;
  try {
    const child = spawn(program, args, {
      cwd: spec.cwd,
      env: { ...spec.env },
      detached: true,
      stdio: ['ignore', log, log],
    });
    await spawned(child, spec);
    child.unref();
    if (spec.background === true && child.pid !== undefined) giveWay(child.pid);
    return handleOf(child, program);
  } finally {
    closeSync(log);
  }
}

/** A daemon that was killed between a start and its record leaves a process that nobody knows: it would serve the same socket. */
async function endLeftBehind(socket: string): Promise<void> {
  await Promise.all(startedWith('LISTEN', socket).map((handle) => stop(handle, 1000)));
}

async function spawned(child: ChildProcess, { argv, cwd }: ProcessSpec): Promise<void> {
  try {
    await once(child, 'spawn');
  } catch (error) {
    const missing = existsSync(cwd) ? 'no such program on its PATH' : 'no such directory';
    const why =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? missing : oneLine(error);
    throw new FailedError(`cannot start ${JSON.stringify(argv[0])} in ${cwd}: ${why}`);
  }
}

function handleOf({ pid }: ChildProcess, program: string): ProcessHandle {
  // A program that ended at once is still a process that was started; its handle is then one that is not alive.
  if (pid === undefined) throw new FailedError(`cannot start ${JSON.stringify(program)}`);
  return { pid, startTime: startTimeOf(pid) ?? 'ended' };
}

async function stop(handle: ProcessHandle, graceMs: number): Promise<void> {
  if (!isAlive(handle)) return;
  signalGroup(handle.pid, 'SIGTERM');
  await gone(handle, AbortSignal.timeout(graceMs));
  // Also when the leader went by itself: what is left of its group goes with it.
  signalGroup(handle.pid, 'SIGKILL');
  await gone(handle);
}

async function exited(handle: ProcessHandle, signal: AbortSignal): Promise<void> {
  await gone(handle, signal);
}

async function gone(handle: ProcessHandle, signal?: AbortSignal): Promise<void> {
  const aborted = () => signal?.aborted ?? false;
  while (isAlive(handle) && !aborted()) await sleep(LOOK);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ESRCH') throw error;
  }
}
