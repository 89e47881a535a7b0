import type { Generation, Generations } from '../data/types.ts';
import { FailedError, RefusedError } from '../problem.ts';
import type { Journal } from './journal.ts';
import type { DeploymentRecord, Undo } from './record.ts';
import type { DataPlan, Live, Tools, Work } from './work.ts';

/** How far down the stack of what was live a restore can still be undone. */
const UNDOABLE = 5;

type Restoring = Extract<DataPlan, { kind: 'restore' }>;

/**
 * How a restore's database comes about: from the backup, once that has proved to be whole and not of a newer schema.
 */
export async function planRestore({ tools, record, signal }: Work, live: Live): Promise<Restoring> {
  const { environment, commit, request } = record;
  const backup = request.backup ?? '';
  if (live.record.commit !== commit)
    throw new RefusedError(
      `${live.record.commit.slice(0, 8)} went live in ${environment} after the restore was asked for: ask again`,
    );
  const { schemaVersion, hasFiles } = await tools.backups.prepare(environment, backup, signal);
  if (schemaVersion !== null && !(live.record.applied ?? []).includes(schemaVersion))
    throw new RefusedError(
      `the backup ${backup} has the schema of ${schemaVersion}, which the live release does not have: deploy the commit in its git-tag.txt first`,
    );
  return { kind: 'restore', backup, generation: null, files: hasFiles };
}

/** How the undo of a restore comes about: from the data that was live before it. */
export function planUndo({ tools, record, config }: Work, undo: Undo): Restoring {
  try {
    tools.generations(config)?.open(undo.generation);
    return { kind: 'restore', backup: undo.backup, generation: undo.generation, files: false };
  } catch {
    if (record.request.restoreBackup && undo.before !== null)
      return { kind: 'restore', backup: undo.before, generation: null, files: false };
    throw new RefusedError(
      `the data from before ${undo.restore} is not kept any more; --restore-backup returns to ${undo.before ?? 'a backup'}, taken before it`,
    );
  }
}

/**
 * Saves beside the backup what its data drops, and says so: in the log, and as the deployment's one line.
 * @param states the generation that was live until now, and the one that takes its place
 */
export async function saveDropped(
  { tools, record, config, log }: Work,
  { backup, generation }: Restoring,
  states: { now: Generation; instead: Generation },
): Promise<void> {
  const file = `${backup}.dropped-${record.id}.jsonl`;
  const count = await tools.backups.saveDropped({ config, ...states, file });
  const what = generation === null ? `restored backup ${backup}` : `undid the restore of backup ${backup}`;
  const told = `${what}; ${count} changes since then were saved beside it and dropped: ${file}`;
  log(told);
  await tools.journal.note(record.id, { cause: told });
}

/** Nothing was switched, or it was taken back with what it had dropped, and with the files that it had put back. */
export async function forgetDropped(
  { backups }: Pick<Tools, 'backups'>,
  record: DeploymentRecord,
): Promise<void> {
  if (!replacesData(record)) return;
  await backups.removeAdded(record.environment, record.id);
  await backups.removeDropped(record.environment, record.id);
}

/** Whether the deployment's data does not come from what was live before it, so that only a copy of that leads back. */
export const replacesData = ({ kind, request }: DeploymentRecord): boolean =>
  kind === 'restore' || request.restoreBackup === true || request.undoes !== undefined;

/** To take back a deployment that replaced the data: a copy of what was live before it. What was written since is saved. */
export async function dataBefore(
  { tools, record, config, log }: Work,
  live: Live,
  { generations, now }: { generations: Generations; now: Generation },
): Promise<Generation> {
  if (!live.generation) throw new FailedError('the data from before is not there');
  const instead = await generations.copy(live.generation);
  const { request } = record;
  const backup = request.backup ?? request.undoes?.backup ?? live.record.backup;
  const file = `${backup ?? 'no-backup'}.dropped-${record.id}-back.jsonl`;
  const count = await tools.backups.saveDropped({ config, now, instead, file });
  log(`${count} changes since the switch were saved in ${file}`);
  return instead;
}

/** What the top of the stack stands for: a rollback stands for what it went back to. */
async function standsFor(journal: Journal, record: DeploymentRecord): Promise<DeploymentRecord> {
  const { kind, request } = record;
  return kind === 'rollback' && request.target
    ? standsFor(journal, await journal.get(request.target))
    : record;
}

/** When the last thing that happened to what is live was a restore: what undoes it. */
export async function undoOf(
  journal: Journal,
  live: DeploymentRecord,
): Promise<{ target: DeploymentRecord; undoes: Undo } | null> {
  const restore = await standsFor(journal, live);
  if (restore.kind !== 'restore' || !restore.replaced) return null;
  const target = await journal.get(restore.replaced);
  const { generation } = target;
  const backup = restore.request.backup;
  if (generation === null || backup === undefined) return null;
  return { target, undoes: { restore: restore.id, generation, backup, before: restore.backup } };
}

/** The generations that restores took the place of, as long as these can be undone. */
export async function undoable(journal: Journal, live: DeploymentRecord): Promise<string[]> {
  const kept: string[] = [];
  let top: DeploymentRecord | null = live;
  for (let depth = 0; top && depth < UNDOABLE; depth++) {
    const undo = await undoOf(journal, top);
    if (undo) kept.push(undo.undoes.generation);
    const { previous }: DeploymentRecord = await standsFor(journal, top);
    top = previous ? await journal.get(previous) : null;
  }
  return kept;
}
