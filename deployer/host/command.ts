import type { ChildProcess } from 'node:child_process';
import { execa } from 'execa';
import { FailedError, oneLine } from '../problem.ts';
import { collectOutput } from './output.ts';
import { giveWay } from './priority.ts';
import { byStarter } from './starter/client.ts';
import type { CommandSpec, RunCommand } from './types.ts';

/** Milliseconds between INT, TERM and KILL. */
const PATIENCE = 2000;

/** Runs a program to its end; throws a `FailedError` only when it could not be started. */
export const runCommand: RunCommand = (spec) => {
  const { signal, log, ...input } = spec;
  return byStarter('command', input, { signal, log }, () => runCommandHere(spec));
};

/** The same in this process. */
export const runCommandHere: RunCommand = async (spec) => {
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
  if (spec.background === true && child.pid !== undefined) giveWay(child.pid);
  const stopper = terminator((signal) => running.kill(signal), spec);
  const output = collectOutput(spec, stopper.stop);
  child.stdout?.on('data', output.stdoutChunk);
  child.stderr?.on('data', output.stderrChunk);
  child.once('exit', () => {
    running.kill('SIGKILL');
    letGoOfPipes(child);
  });
  const result = await running;
  stopper.done();
  output.end();
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
