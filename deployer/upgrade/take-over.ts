import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type { Journal } from '../deployment/journal.ts';
import { FailedError } from '../problem.ts';
import type { Running } from './place.ts';
import { missedSince, noteServed } from './served.ts';
import { endTrial, forgetFailures, readFailures, readTrial, writeFailure } from './trial.ts';

/** How long a new deployer is watched before it accepts anything. */
const WATCH_MS = 10_000;
const LOOK_MS = 1000;

interface Parts {
  home: string;
  running: Running;
  server: Server;
  state: Knex;
  /** The environments whose live release answers. */
  serving: () => Promise<string[]>;
  journal: Pick<Journal, 'audit'>;
  logger: Logger;
}

/** Whether this start is a new deployer's, which has not passed yet. */
export async function isOnTrial({ home, running }: Pick<Parts, 'home' | 'running'>): Promise<boolean> {
  return running.name !== null && (await readTrial(home))?.to === running.name;
}

/** To be called before it touches anything that is live. */
export async function beginTrial({
  home,
  running,
  serving,
}: Pick<Parts, 'home' | 'running' | 'serving'>): Promise<void> {
  if (running.name !== null) await noteServed(home, running.name, serving);
}

/**
 * A new deployer watches itself: it answers and its state answers, for a while, and what was live still is. Then it is the deployer; there is no way
 * back by itself from there, since it accepts what the state before does not know.
 * @throws FailedError when it does not: systemd starts it again, and `beforeStart` takes it back
 */
export async function takeOver(parts: Parts, watchMs = WATCH_MS): Promise<void> {
  const { home, running, server, state, serving, journal, logger } = parts;
  const trial = await readTrial(home);
  if (!trial || trial.to !== running.name) return;
  logger.info({ tree: trial.to }, 'a new deployer: it watches itself before it accepts anything');
  const end = performance.now() + watchMs;
  do {
    await answers(server);
    await state('environments').count();
    await sleep(Math.min(LOOK_MS, watchMs));
  } while (performance.now() < end);
  const missed = await missedSince(home, trial.to, serving);
  if (missed.length > 0)
    throw new FailedError(`what is live in ${missed.join(', ')} does not answer any more since it came`);
  await endTrial(home);
  await forgetFailures(home);
  const { environment, commit, from, to } = trial;
  const detail = `the deployer of ${commit.slice(0, 8)} runs: ${to}, before it ${from}`;
  await journal.audit({ actor: 'deployer', action: 'upgraded', environment, deployment: null, detail });
  logger.info({ from, to }, 'the new deployer has taken over');
}

/** Tells once, in the audit trail and the log, of each deployer that was taken back. */
export async function tellTakenBack({
  home,
  journal,
  logger,
}: Pick<Parts, 'home' | 'journal' | 'logger'>): Promise<void> {
  for (const failure of (await readFailures(home)).filter(({ told }) => !told)) {
    const { environment, commit, tree, cause } = failure;
    const detail = `the deployer of ${commit.slice(0, 8)} did not take over: ${cause}`;
    await journal.audit({
      actor: 'deployer',
      action: 'upgrade-failed',
      environment,
      deployment: null,
      detail,
    });
    await writeFailure(home, { ...failure, told: true });
    logger.error({ tree, cause }, 'a new deployer did not take over; the one before runs on');
  }
}

async function answers(server: Server): Promise<void> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new FailedError('it does not listen');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const url = `http://${host.replace('0.0.0.0', '127.0.0.1').replace('[::]', '[::1]')}:${address.port}/healthz`;
  const { status } = await fetch(url, { signal: AbortSignal.timeout(5000) });
  if (status !== 200) throw new FailedError(`it does not answer: /healthz gave ${status}, expected 200`);
}
