import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError } from '../../problem.ts';
import { Stopped } from '../ended.ts';
import { isWorse } from '../error-rate.ts';
import { boot, HEALTH, healthOf, socketPath } from '../instance.ts';
import { Skipped } from '../journal.ts';
import { tellingWords } from '../last-words.ts';
import { sinceLive } from '../since-live.ts';
import type { Instance, Work } from '../work.ts';

const LOOK_EVERY_MS = 250;
/** So many of the last few: an instance that is well at times is not well. */
const UNHEALTHY_LOOKS = 3;
const LAST_LOOKS = 8;

/** The old instance stays warm while the new one is watched; a deployment that waits cuts it short. */
export async function settle(work: Work): Promise<Skipped | void> {
  const { config, live, hurry, signal } = work;
  if (!live) return new Skipped('nothing was live before: there is nothing to go back to');
  if (work.record.kind === 'rollback') return new Skipped('this release was live before');
  const candidate = (work.candidate ??= await startAgain(work));
  const looks = [await watchHealth(work, candidate), await watchErrors(work), await watchWrites(work)];
  // A daemon that was away for all of that time has seen nothing of it yet.
  const fewest = config.cutover.settle > 0 ? UNHEALTHY_LOOKS : 0;
  // A clock that is set meanwhile makes it neither longer nor shorter.
  const until = performance.now() + config.cutover.settle - (await sinceLive(work));
  const isOver = (made: number) => performance.now() >= until && made >= fewest;
  for (let made = 0; !isOver(made) && !hurry.aborted && !signal.aborted; made++) {
    for (const look of looks) {
      const problem = await look();
      if (problem && !signal.aborted) throw new FailedError(`settle: ${problem}`);
    }
    const left = until - performance.now();
    const rest = left > 0 ? Math.min(LOOK_EVERY_MS, left) : LOOK_EVERY_MS;
    await sleep(rest, undefined, { signal: AbortSignal.any([hurry, signal]) }).catch(() => undefined);
  }
  // A commit that waits ends it; the end of the deployer does not: the next one goes on watching.
  if (signal.reason instanceof Stopped) throw signal.reason;
}

/** Whoever stopped the deployer stopped it too. It is watched from its new beginning. */
async function startAgain(work: Work): Promise<Instance> {
  const { tools, record, config, release, generation, signal } = work;
  const { slot } = record;
  if (!slot || !release) throw new FailedError('there is no instance to watch');
  work.log('what is live was stopped with the deployer: it is started again');
  const request = { config, slot, release, generation, deployment: record, readOnly: false, signal };
  const instance = await boot(tools, {
    ...request,
    onStart: (said) => (work.outputs.candidate = said),
  });
  work.liveSince = performance.now();
  return instance;
}

/** A look answers null, or what is wrong. */
type Look = () => Promise<string | null>;

async function watchHealth(work: Work, candidate: Instance): Promise<Look> {
  const { tools, config } = work;
  const socket = socketPath(tools, config.name, candidate.slot);
  let last: boolean[] = [];
  return async () => {
    if (!tools.services.alive(candidate.process)) return await lastWordsOf(work);
    const { status } = await healthOf(socket, 2000);
    last = [status === 200, ...last].slice(0, LAST_LOOKS);
    if (status === 200 || last.filter((isWell) => !isWell).length < UNHEALTHY_LOOKS) return null;
    return `${HEALTH} ${status === null ? 'did not answer' : `answered ${status}`}, expected 200`;
  };
}

async function lastWordsOf({ outputs, release }: Work): Promise<string> {
  const ended = 'the process ended after it went live';
  const output = await outputs.candidate?.().catch(() => '');
  return output && release ? `${ended}: ${tellingWords(output, release.directory)}` : ended;
}

/** The share of answers of 500 and above since the switch, against that of the release before. */
async function watchErrors({ tools, config }: Work): Promise<Look> {
  // A front door that died counts anew once it is started again: that is not the release's fault.
  const count = () => tools.frontDoor.counters(config.name).catch(() => ({ requests: 0, errors: 0 }));
  let before = await count();
  const usual = tools.errorRates.begin(config.name, before);
  return async () => {
    const now = await count();
    if (now.requests < before.requests) before = now;
    const requests = now.requests - before.requests;
    const errors = now.errors - before.errors;
    if (!isWorse({ requests, errors }, usual)) return null;
    return `${errors} of ${requests} requests failed since the switch, before it ${(usual * 100).toFixed(1)} %`;
  };
}

/** Writes that no request caused: start-up code or a job that changes data behind everybody's back. */
async function watchWrites(work: Work): Promise<Look> {
  const { tools, record, config, generation, candidate, lastAudited: after } = work;
  const generations = tools.generations(config);
  // From then on only the new release writes; the migrations wrote before.
  const since = (await tools.journal.stageBegan(record.id, 'switch')) ?? tools.clock().toISOString();
  let seen = 0;
  return async () => {
    if (!generations || !generation || !candidate) return null;
    const { deployment } = candidate;
    const looked = await generations.unasked(generation, { deployment, since, after, seen });
    seen = looked.seen;
    return looked.found;
  };
}
