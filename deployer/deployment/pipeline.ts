import { setTimeout as sleep } from 'node:timers/promises';
import { CutOffError, FailedError, oneLine, RefusedError, TransientError, UsageError } from '../problem.ts';
import { EnvironmentError } from '../../environments/parse.ts';
import { REHEARSAL, type Outcome, type StageName } from './model.ts';
import type { Skipped } from './journal.ts';
import { backup } from './stages/backup.ts';
import { bootCandidate } from './stages/boot.ts';
import { fetchTarget } from './stages/fetch.ts';
import { finish } from './stages/finish.ts';
import { hold } from './stages/hold.ts';
import { migrateNext } from './stages/migrate.ts';
import { preflight } from './stages/preflight.ts';
import { rehearse } from './stages/rehearse.ts';
import { buildRelease } from './stages/release.ts';
import { settle } from './stages/settle.ts';
import { switchOver } from './stages/switch.ts';
import { verifyCandidate } from './stages/verify.ts';
import { retire } from './retire.ts';
import { takeBack } from './take-back.ts';
import { hasSwitched } from './recovery.ts';
import { undo } from './undo.ts';
import { DISK_FULL, isDiskFull, isOfTheMachine } from './machine-trouble.ts';
import { DeploymentEnded, Stopped } from './ended.ts';
import { withinRelease } from './last-words.ts';
import { lastLines } from './last-lines.ts';
import { Disturbed, type Work } from './work.ts';

type StageFunction = (work: Work) => Promise<Skipped | void>;

/** A deployment, stage by stage. */
const PIPELINE: Readonly<Record<StageName, StageFunction>> = {
  preflight,
  fetch: fetchTarget,
  release: buildRelease,
  rehearse,
  backup,
  hold,
  migrate: migrateNext,
  boot: bootCandidate,
  verify: verifyCandidate,
  switch: switchOver,
  settle,
  finish,
};

const PREPARATION: readonly StageName[] = [...REHEARSAL, 'backup'];
const CUTOVER: readonly StageName[] = ['hold', 'migrate', 'boot', 'verify', 'switch'];

const MOST_TRIES = 3;

/**
 * Takes a deployment through its stages and records how it ended.
 * Before the switch a failure leaves what is live untouched; after it, what was live before is made live again.
 * @throws CutOffError when it is to be recovered, and begun anew; what kept the journal from being written
 */
export async function runDeployment(work: Work): Promise<void> {
  const { journal } = work.tools;
  const isRehearsal = work.record.kind === 'rehearsal';
  try {
    await go(work, isRehearsal ? REHEARSAL : PREPARATION);
    if (!isRehearsal) await cutOver(work);
  } catch (error) {
    return fail(work, error);
  }
  if (isRehearsal) {
    await work.clearing;
    return journal.finish(work.record.id, 'ok', null);
  }
  return finishDeployment(work);
}

/** From the switch on; also where a daemon that died after it left off. */
export async function finishDeployment(work: Work): Promise<void> {
  const { journal } = work.tools;
  try {
    await journal.stage(work.record.id, 'settle', () => settle(work));
  } catch (error) {
    return fail(work, error);
  }
  // It has proved itself: what fails from here on takes nothing back.
  const problem = await lastStage(work);
  await journal.finish(work.record.id, succeeded(work.record.kind), problem);
  work.retiring = retire(work);
}

/** Every part of `finish` can be repeated, and is. Returns what was left undone, or null. */
async function lastStage(work: Work): Promise<string | null> {
  for (let tries = 1; ; tries++) {
    try {
      await work.tools.journal.stage(work.record.id, 'finish', () => finish(work));
      return null;
    } catch (error) {
      if (tries >= MOST_TRIES) return `finish: ${oneLine(error)}`;
      await sleep(tries * 1000);
    }
  }
}

async function go(work: Work, stages: readonly StageName[]): Promise<void> {
  for (const name of stages) {
    work.signal.throwIfAborted();
    await work.tools.journal.stage(work.record.id, name, () => PIPELINE[name](work));
  }
}

/** From the hold to the switch. When that is disturbed on the way nothing has happened yet, and it is tried again. */
async function cutOver(work: Work): Promise<void> {
  const { signal } = work;
  for (let tries = 1; ; tries++) {
    try {
      return await go(work, CUTOVER);
    } catch (error) {
      const disturbed = [error, work.signal.reason].find((reason) => reason instanceof Disturbed);
      if (!disturbed || (await hasSwitched(work))) throw error;
      work.signal = signal;
      signal.throwIfAborted();
      if (tries >= MOST_TRIES) throw new TransientError(`${disturbed.message}; nothing was switched`);
      work.log(`once more: ${disturbed.message}`);
      await undo(work);
      await backToRunning(work);
    }
  }
}

async function backToRunning({ tools, record }: Work): Promise<void> {
  const { phase } = await tools.journal.get(record.id);
  if (phase === 'switching') await tools.journal.phase(record.id, 'running');
}

function succeeded(kind: Work['record']['kind']): Outcome {
  return kind === 'deploy' ? 'deployed' : 'ok';
}

async function fail(work: Work, error: unknown): Promise<void> {
  const { tools, record } = work;
  const { journal } = tools;
  if (error instanceof CutOffError && !work.signal.aborted && !(await isLive(work))) {
    // As after a death of the deployer itself: recovery begins it anew, unless that has happened too often.
    work.log(`cut off: ${oneLine(error)}`);
    await undo(work);
    throw error;
  }
  if (stopping(work)) return leave(work);
  const ended = endOf(work, error);
  if (unexpected(error))
    tools.logger.error({ deployment: record.id, err: error }, 'a stage failed in an unexpected way');
  work.log(`${ended.outcome}${ended.message ? `: ${ended.message}` : ''}`);
  await keepLastLines(work, ended.outcome);
  if (!(await isLive(work))) {
    await undo(work);
    const { isTransient } = ended;
    return journal.finish(record.id, ended.outcome, ended.message || null, { isTransient });
  }
  const { phase } = await journal.get(record.id);
  if (phase === 'switching') await journal.live(record.id);
  await takeBack(work, ended.message);
}

/** To be begun anew, which is no death of the deployer; what is live already the next daemon goes on watching. */
async function leave(work: Work): Promise<void> {
  if (await isLive(work)) return;
  await undo(work);
  await work.tools.journal.restart(work.record.id, true);
}

async function isLive(work: Work): Promise<boolean> {
  const { phase } = await work.tools.journal.get(work.record.id);
  return phase === 'live' || (phase === 'switching' && (await hasSwitched(work)));
}

/** What the instance said last belongs to the report, before another one writes to the same file. */
async function keepLastLines(
  { tools, record, release, rehearsed, outputs }: Work,
  outcome: Outcome,
): Promise<void> {
  if (outcome !== 'rejected' && outcome !== 'failed' && outcome !== 'rolled_back') return;
  const output = rehearsed ? outputs.candidate : (outputs.rehearsal ?? outputs.candidate);
  if (!output || !release) return;
  const logTail = lastLines(await output().catch(() => ''), release.directory, tools.redaction.redact);
  if (logTail.length > 0) await tools.journal.note(record.id, { logTail });
}

const stopping = ({ signal }: Work) => signal.aborted && signal.reason instanceof Stopped;

function endOf(work: Work, error: unknown): DeploymentEnded {
  if (error instanceof DeploymentEnded) return error;
  if (work.signal.aborted) {
    return work.signal.reason instanceof DeploymentEnded
      ? work.signal.reason
      : new DeploymentEnded('superseded', oneLine(work.signal.reason));
  }
  const outcome: Outcome = work.record.kind === 'deploy' ? 'rejected' : 'failed';
  const cause = isDiskFull(error) ? DISK_FULL : oneLine(error);
  return new DeploymentEnded(
    error instanceof RefusedError ? 'refused' : outcome,
    work.release ? withinRelease(cause, work.release.directory) : cause,
    error instanceof TransientError || isOfTheMachine(error),
  );
}

function unexpected(error: unknown): boolean {
  return ![DeploymentEnded, FailedError, RefusedError, UsageError, EnvironmentError].some(
    (kind) => error instanceof kind,
  );
}
