import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { FailedError, TransientError } from '../../problem.ts';
import { freeBytes, LEAST_FREE_BYTES, noSpace } from '../free-space.ts';
import { collectOutput } from '../output.ts';
import { isProgram } from '../program.ts';
import type { CommandResult, CommandSpec, RunCommand } from '../types.ts';
import { clearRoom, furnish, roomOf } from './room.ts';
import { listenFor } from './streams.ts';
import { invocationOf, outcomeOf, over, systemctl } from './systemctl.ts';
import { takeOver } from './take-over.ts';

/** Milliseconds between two looks at the disk. */
const LOOK = 500;
/** systemd's own words for a program that it could not begin to run (systemd.exec(5), "Process Exit Codes"). */
const NOT_BEGUN = 200;

/**
 * Runs a release's command as a unit of a template that is root's (`environments/systemd/deployer-run@.service`): a user of
 * its own that is nobody afterwards, no network unless it is asked for, and of the home only what `reads` and `writes` name.
 */
export function sandbox(home: string): RunCommand {
  return async (spec) => {
    const [program = ''] = spec.argv;
    if (!isProgram(program, spec.cwd, spec.env['PATH']))
      throw new FailedError(
        `cannot start ${JSON.stringify(program)} in ${spec.cwd}: no such program on its PATH, or no such directory`,
      );
    const id = randomBytes(6).toString('hex');
    const unit = `deployer-${spec.network === true ? 'install' : 'run'}@${id}.service`;
    const paths = ['out', 'err'].map((name) => `${roomOf(home, id)}.${name}`);
    try {
      await furnish(home, id, roomFor(spec));
      return await run(unit, spec, { home, out: paths[0] ?? '', err: paths[1] ?? '' });
    } finally {
      await end(unit);
      for (const path of paths) rmSync(path, { force: true });
      clearRoom(home, id);
    }
  };
}

/** Its home directory and its scratch are gone with it, unless one was named. */
function roomFor({ argv, cwd, env, reads = [], writes = [] }: CommandSpec) {
  const home = env['HOME'] !== undefined && writes.includes(env['HOME']) ? env['HOME'] : '/tmp';
  return { argv, cwd, env: { ...env, HOME: home }, reads, writes };
}

async function run(
  unit: string,
  spec: CommandSpec,
  { home, out, err }: { home: string; out: string; err: string },
): Promise<CommandResult> {
  const limits = stopper(unit, home, spec);
  const output = collectOutput(spec, limits.stop);
  const streams = await Promise.all([listenFor(out, output.stdoutChunk), listenFor(err, output.stderrChunk)]);
  try {
    await systemctl('start', unit);
    // Asked to end before there was anything to end.
    if (limits.stopped()) await systemctl('stop', unit);
    const invocation = invocationOf(unit);
    if (invocation !== null) await over(unit, invocation);
    await Promise.all(streams.map((stream) => stream.ended()));
  } finally {
    limits.done();
    for (const stream of streams) stream.close();
  }
  output.end();
  const full = limits.full();
  if (full !== null) throw new TransientError(`stopped: ${full}`);
  const { result, status } = await outcomeOf(unit);
  if (result === 'exit-code' && status >= NOT_BEGUN && status <= 243)
    spec.log(`the sandbox ${unit} ended with ${status}: see systemd.exec(5) if it did not begin`);
  const ended = !limits.stopped() && (result === 'success' || result === 'exit-code');
  if (ended && status === 0 && spec.makes !== undefined) await takeOver(spec.makes);
  return {
    exitCode: ended ? status : null,
    timedOut: limits.timedOut(),
    stdout: output.stdout(),
    tail: output.tail(),
  };
}

/** Ends the unit when the time is up, the signal aborts, or the disk is nearly full. */
function stopper(unit: string, home: string, { timeoutMs, signal, log }: CommandSpec) {
  let timedOut = false;
  let stopping = false;
  let full: string | null = null;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void systemctl('stop', unit).catch(() => undefined);
  };
  const timeout = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeoutMs);
  const disk = setInterval(() => {
    const free = freeBytes(home);
    if (free >= LEAST_FREE_BYTES || stopping) return;
    full = noSpace(free, LEAST_FREE_BYTES);
    log(`stopped: ${full}`);
    stop();
  }, LOOK);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const done = () => {
    clearTimeout(timeout);
    clearInterval(disk);
    signal.removeEventListener('abort', stop);
  };
  return { stop, done, stopped: () => stopping, timedOut: () => timedOut, full: () => full };
}

/** Nothing runs on, and systemd forgets that it failed. */
async function end(unit: string): Promise<void> {
  if (invocationOf(unit) !== null) await systemctl('stop', unit).catch(() => undefined);
  const { result } = await outcomeOf(unit).catch(() => ({ result: '' }));
  if (result !== 'success') await systemctl('reset-failed', unit).catch(() => undefined);
}
