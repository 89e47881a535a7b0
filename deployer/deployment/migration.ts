import type { Fingerprint, Generation, Generations } from '../data/types.ts';
import { differing } from '../data/fingerprint.ts';
import { FailedError, oneLine, RefusedError } from '../problem.ts';
import { migrate, type ReleaseContext } from './programs.ts';
import { planUndo } from './restore.ts';
import type { DataPlan, Live, Tools, Work } from './work.ts';

/** The deployed release, as its own programs see themselves. */
export function contextOf(work: Work): ReleaseContext {
  const { config, release, record, target, signal, log } = work;
  if (!release) throw new FailedError('the release is not built yet');
  return {
    config,
    release,
    signal,
    log,
    deployment: { id: record.id, commit: target.commit, branch: record.branch },
  };
}

/** A live release as its own programs see it, for its own `down` and its own suites. */
export async function contextOfLive(
  tools: Pick<Tools, 'releases'>,
  { record, config }: Live,
  { signal, log }: Pick<ReleaseContext, 'signal' | 'log'>,
): Promise<ReleaseContext> {
  const { id, commit, branch, tree } = record;
  const install = config.commands.install;
  const release = await tools.releases.build({ commit, tree: tree ?? '', install, log, signal });
  return { config, release, signal, log, deployment: { id, commit, branch } };
}

export const liveContext = (work: Work, live: Live): Promise<ReleaseContext> =>
  contextOfLive(work.tools, live, work);

/** How this deployment's database comes about; `copy` is a copy of the live one to ask the migrations on. */
export async function planData(work: Work, copy: Generation): Promise<DataPlan> {
  const { tools, config } = work;
  if (!config.commands.migrate) return { kind: 'same' };
  const { pending } = await migrate(tools, contextOf(work), copy, ['status']);
  return pending.length > 0 ? { kind: 'next', down: null } : { kind: 'same' };
}

/** How a rollback's database comes about: contract section 8. */
export function planRollback(work: Work, live: Live): DataPlan {
  const { rollbackTarget, record, log } = work;
  if (record.request.undoes) return planUndo(work, record.request.undoes);
  const now = live.record.applied ?? [];
  const then = rollbackTarget?.applied ?? [];
  if (record.request.restoreBackup) {
    if (!live.record.backup) throw new RefusedError(`there is no backup from before ${live.record.id}`);
    return { kind: 'restore', backup: live.record.backup, generation: null };
  }
  if (now.length === then.length && now.every((name, index) => name === then[index])) return { kind: 'same' };
  if (live.record.proven && live.record.previous === rollbackTarget?.id) {
    log('the earlier release was proven on the present schema: the code goes back alone');
    return { kind: 'same' };
  }
  const common = now.findIndex((name, index) => name !== then[index]);
  return { kind: 'next', down: common === -1 ? null : (now[common - 1] ?? 'none') };
}

/** Brings a copy to the schema of the release: `down` by the release that is live, `up` by the new one. */
export async function applyPlan(work: Work, generation: Generation): Promise<void> {
  const { tools, plan, config, live } = work;
  const generations = tools.generations(config);
  if (!generations) return;
  const before = plan.kind === 'next' ? await generations.fingerprint(generation) : {};
  const touched = new Set<string>();
  if (plan.kind === 'next' && plan.down !== null && live) {
    const report = await takeDown(work, live, generation, plan.down);
    for (const { touches } of report.ran) for (const table of touches) touched.add(table);
  }
  const report = config.commands.migrate ? await migrate(tools, contextOf(work), generation, ['up']) : null;
  for (const { touches } of report?.ran ?? []) for (const table of touches) touched.add(table);
  work.ran = report?.ran ?? [];
  work.applied = report?.applied ?? [];
  if (plan.kind === 'next') await onlyTouched(work, generations, { before, generation, touched });
}

async function takeDown(work: Work, live: Live, generation: Generation, to: string) {
  try {
    return await migrate(work.tools, await liveContext(work, live), generation, ['down', '--to', to]);
  } catch (error) {
    work.signal.throwIfAborted();
    throw new RefusedError(
      `the migrations cannot be taken back: ${oneLine(error)}; --restore-backup returns to the backup from before and drops what changed since`,
    );
  }
}

/** Where migration programs note what they applied: Knex, Rails, Django, Flyway, Alembic, goose and what is called alike. */
const BOOKKEEPING =
  /^(.*_)?(migrations?(_lock|_history)?|schema_(version|history|info)|alembic_version|goose_db_version)$/i;

/** Only the tables that the migrations name as touched may differ. */
async function onlyTouched(
  work: Work,
  generations: Generations,
  {
    before,
    generation,
    touched,
  }: { before: Fingerprint; generation: Generation; touched: ReadonlySet<string> },
): Promise<void> {
  const after = await generations.fingerprint(generation);
  const changed = differing(before, after).filter((table) => !touched.has(table) && !BOOKKEEPING.test(table));
  if (changed.length === 0) return;
  const [table = ''] = changed;
  const [detail] = work.live?.generation
    ? (await generations.compare(work.live.generation, generation, touched)).filter(
        (difference) => difference.table === table,
      )
    : [];
  throw new FailedError(
    `integrity: ${work.ran.map(({ name }) => name).join(', ') || 'a migration'} changed ${table}, which it does not name in touches${detail ? `: ${detail.sentence}` : ''}`,
  );
}
