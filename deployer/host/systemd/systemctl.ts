import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { FailedError, oneLine } from '../../problem.ts';

/** Milliseconds between two looks at a unit; a look reads one link. */
const LOOK = 10;
/** systemd's programs get nothing of our environment. */
export const BARE = { extendEnv: false, env: { PATH: '/usr/bin:/bin' } } as const;

type Verb = 'start' | 'stop' | 'kill' | 'reset-failed';

/** Asks systemd, which asks polkit whether we may (`environments/systemd/deployer.rules`). @throws FailedError */
export async function systemctl(verb: Verb, unit: string, options: readonly string[] = []): Promise<void> {
  const ran = await execa('systemctl', [verb, '--no-ask-password', ...options, '--', unit], {
    reject: false,
    ...BARE,
    stdin: 'ignore',
    stdout: 'ignore',
  });
  if (ran.failed)
    throw new FailedError(`systemctl ${verb} ${unit}: ${oneLine(ran.stderr || ran.shortMessage)}`);
}

/** How a unit ended, as long as systemd keeps that: a unit that did not fail is forgotten, and then says success. */
export async function outcomeOf(unit: string): Promise<{ result: string; status: number }> {
  const properties = ['Result', 'ExecMainStatus'].map((name) => `--property=${name}`);
  const { stdout } = await execa('systemctl', ['show', ...properties, '--', unit], {
    ...BARE,
    stdin: 'ignore',
  });
  return {
    result: /^Result=(.*)$/m.exec(stdout)?.[1] ?? '',
    status: Number(/^ExecMainStatus=(\d+)$/m.exec(stdout)?.[1] ?? Number.NaN),
  };
}

/**
 * The id of the present run of a unit, null when it does not run. systemd keeps it as a link for as long as a unit is
 * active, so that nobody has to be asked.
 */
export function invocationOf(unit: string): string | null {
  try {
    return readlinkSync(`/run/systemd/units/invocation:${unit}`);
  } catch {
    return null;
  }
}

/** Resolves when that run of the unit is over, or the signal aborts. */
export async function over(unit: string, invocation: string, signal?: AbortSignal): Promise<void> {
  const aborted = () => signal?.aborted ?? false;
  while (invocationOf(unit) === invocation && !aborted()) await sleep(LOOK);
}
