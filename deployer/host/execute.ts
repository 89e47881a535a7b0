import { spawn, type ChildProcess } from 'node:child_process';
import { Writable } from 'node:stream';
import { codeOf, oneLine } from '../problem.ts';
import { byStarter } from './starter/client.ts';
import type { Executed, Execution } from './types.ts';

/** More than any tree or file that git is asked for: what writes more is stopped. */
const MOST_BYTES = 1 << 29;

/** Runs a program to its end, or until the signal aborts. What went wrong is in what it returns. */
export function execute(execution: Execution, signal?: AbortSignal): Promise<Executed> {
  return byStarter('execute', execution, { signal }, () => executeHere(execution, signal));
}

/** The same in this process. */
export async function executeHere(execution: Execution, signal?: AbortSignal): Promise<Executed> {
  const [program = '', ...args] = execution.argv;
  const child = spawn(program, args, {
    env: { ...execution.env },
    stdio: ['pipe', 'pipe', 'pipe', execution.secret === undefined ? 'ignore' : 'pipe'],
    timeout: execution.timeoutMs,
    ...(signal ? { signal } : {}),
  });
  feed(child.stdin, execution.input ?? '');
  feed(child.stdio[3], execution.secret ?? '');
  return await outcomeOf(child);
}

/** It may end without having read everything; its exit code says whether that matters. */
function feed(stream: unknown, input: string | Buffer): void {
  if (!(stream instanceof Writable)) return;
  stream.on('error', () => {});
  stream.end(input);
}

async function outcomeOf(child: ChildProcess): Promise<Executed> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let size = 0;
  let error: Executed['error'] = null;
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) child.kill();
  });
  child.stderr?.on('data', (chunk: Buffer) => void stderr.push(chunk));
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('error', (cause) => {
      error = { message: oneLine(cause), code: codeOf(cause) };
      resolve(null);
    });
    child.once('close', resolve);
  });
  return { exitCode, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8'), error };
}
