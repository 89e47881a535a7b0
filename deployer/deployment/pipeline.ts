import { FailedError, oneLine, RefusedError, UsageError } from '../problem.ts';
import { EnvironmentError } from '../../environments/parse.ts';
import { STAGES, type Outcome, type StageName } from './model.ts';
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
import { DeploymentEnded } from './ended.ts';
import type { Work } from './work.ts';

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

/** What a rehearsal goes through: nothing live is touched. */
const REHEARSAL: readonly StageName[] = ['preflight', 'fetch', 'release', 'rehearse'];

/**
 * Takes a deployment through its stages and records how it ended.
 * Before the switch a failure leaves what is live untouched; after it, what was live before is made live again.
 */
export async function runDeployment(work: Work): Promise<void> {
  const { tools, record } = work;
  const { journal } = tools;
  try {
    for (const name of stagesOf(work)) {
      if (!reached(name, 'settle')) work.signal.throwIfAborted();
      await journal.stage(record.id, name, () => PIPELINE[name](work));
    }
    await journal.finish(record.id, succeeded(record.kind), null);
    await retire(work);
  } catch (error) {
    await fail(work, error);
  }
}

/** Goes on where a daemon that died after the switch left off. */
export async function finishDeployment(work: Work): Promise<void> {
  const { journal } = work.tools;
  try {
    for (const name of ['settle', 'finish'] as const)
      await journal.stage(work.record.id, name, () => PIPELINE[name](work));
    await journal.finish(work.record.id, succeeded(work.record.kind), null);
    await retire(work);
  } catch (error) {
    await fail(work, error);
  }
}

function stagesOf(work: Work): readonly StageName[] {
  return work.record.kind === 'rehearsal' ? REHEARSAL : STAGES;
}

const reached = (name: StageName, mark: StageName) => STAGES.indexOf(name) >= STAGES.indexOf(mark);

function succeeded(kind: Work['record']['kind']): Outcome {
  return kind === 'deploy' ? 'deployed' : 'ok';
}

async function fail(work: Work, error: unknown): Promise<void> {
  const { tools, record } = work;
  const { journal } = tools;
  const ended = endOf(work, error);
  if (unexpected(error))
    tools.logger.error({ deployment: record.id, err: error }, 'a stage failed in an unexpected way');
  work.log(`${ended.outcome}${ended.message ? `: ${ended.message}` : ''}`);
  const { phase } = await journal.get(record.id);
  const live = phase === 'live' || (phase === 'switching' && (await hasSwitched(work)));
  if (!live) {
    await undo(work);
    if (!stopping(work)) await journal.finish(record.id, ended.outcome, ended.message || null);
    return;
  }
  if (stopping(work)) return;
  if (phase === 'switching') await journal.live(record.id);
  await takeBack(work, ended.message);
}

/** The daemon stops: the next one goes on from what the journal says. */
const stopping = (work: Work) => work.signal.aborted && work.signal.reason instanceof Stopped;

/** Why the signal of a deployment was aborted when the daemon stops: the next one begins it anew. */
export class Stopped extends Error {
  override name = 'Stopped';
}

function endOf(work: Work, error: unknown): DeploymentEnded {
  if (error instanceof DeploymentEnded) return error;
  if (work.signal.aborted) {
    return work.signal.reason instanceof DeploymentEnded
      ? work.signal.reason
      : new DeploymentEnded('superseded', oneLine(work.signal.reason));
  }
  const outcome: Outcome = work.record.kind === 'deploy' ? 'rejected' : 'failed';
  return new DeploymentEnded(error instanceof RefusedError ? 'refused' : outcome, oneLine(error));
}

function unexpected(error: unknown): boolean {
  return ![DeploymentEnded, FailedError, RefusedError, UsageError, EnvironmentError].some(
    (kind) => error instanceof kind,
  );
}
