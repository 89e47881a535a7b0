import type { ChildProcess } from 'node:child_process';
import { execa } from 'execa';
import { FailedError, oneLine } from '../problem.ts';
import { LineSplitter, Tail } from './lines.ts';
import type { CommandSpec, RunCommand } from './types.ts';

const COLLECTED = 16 * 1024 * 1024;
const TAIL = 4096;
/** Milliseconds between INT, TERM and KILL. */
const PATIENCE = 2000;

/** Runs a program to its end; throws a `FailedError` only when it could not be started. */
export const runCommand: RunCommand = async (spec) => {
  const [program = '', ...args] = spec.argv;
  const running = execa(program, args, {
    cwd: spec.cwd,
    env: spec.env,
    extendEnv: false,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    killDescendants: true,
    forceKillAfterDelay: false,
  });
  const child = running.nodeChildProcess;
  const stopper = terminator((signal) => running.kill(signal), spec);
  const output = readOutput(child, spec, stopper.stop);
  child.once('exit', () => {
    running.kill('SIGKILL');
    letGoOfPipes(child);
  });
  const result = await running;
  stopper.done();
  if (child.pid === undefined) throw notStarted(program, spec.cwd, result);
  return {
    exitCode: output.overflow() || spec.signal.aborted ? null : (result.exitCode ?? null),
    timedOut: stopper.timedOut(),
    stdout: output.stdout(),
    tail: output.tail(),
  };
};

/** Ends the whole group when the time is up or the signal aborts: INT → TERM → KILL. */
function terminator(kill: (signal: NodeJS.Signals) => void, { timeoutMs, signal }: CommandSpec) {
  let timedOut = false;
  let step: NodeJS.Timeout | undefined;
  const escalate = ([next, ...later]: NodeJS.Signals[]): void => {
    if (next === undefined) return;
    kill(next);
    step = setTimeout(() => escalate(later), PATIENCE);
  };
  const stop = () => {
    if (step === undefined) escalate(['SIGINT', 'SIGTERM', 'SIGKILL']);
  };
  const timeout = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const done = () => {
    clearTimeout(timeout);
    clearTimeout(step);
    signal.removeEventListener('abort', stop);
  };
  return { stop, done, timedOut: () => timedOut };
}

function readOutput(child: ChildProcess, spec: CommandSpec, stop: () => void) {
  const tail = new Tail(TAIL);
  const log = (line: string) => {
    tail.add(line);
    spec.log(line);
  };
  const collected: Buffer[] = [];
  let size = 0;
  const collect = (chunk: Buffer) => {
    if (size > COLLECTED) return;
    size += chunk.length;
    if (size <= COLLECTED) {
      collected.push(chunk);
      return;
    }
    log(`stopped: it wrote more than ${COLLECTED / 1024 / 1024} MB to stdout`);
    stop();
  };
  readLines(child.stderr, log);
  if (spec.stdout === 'log') readLines(child.stdout, log);
  else child.stdout?.on('data', collect);
  return {
    overflow: () => size > COLLECTED,
    stdout: () => Buffer.concat(collected).toString('utf8'),
    tail: () => tail.toString(),
  };
}

function readLines(stream: NodeJS.ReadableStream | null | undefined, take: (line: string) => void): void {
  const lines = new LineSplitter(take);
  stream?.on('data', (chunk: Buffer) => lines.write(chunk));
  stream?.once('close', () => lines.end());
}

/** What left the process group must not keep our pipes open. */
function letGoOfPipes(child: ChildProcess): void {
  const timer = setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, PATIENCE);
  child.once('close', () => clearTimeout(timer));
}

function notStarted(
  program: string,
  cwd: string,
  result: { code?: string | undefined; cause?: unknown },
): FailedError {
  const why =
    result.code === 'ENOENT'
      ? 'no such program on its PATH, or no such directory'
      : oneLine(result.cause ?? result.code);
  return new FailedError(`cannot start ${JSON.stringify(program)} in ${cwd}: ${why}`);
}
