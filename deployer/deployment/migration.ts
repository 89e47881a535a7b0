import type { Difference, Generation, Generations } from '../data/types.ts';
import { inWords } from '../data/in-words.ts';
import { CutOffError, FailedError, oneLine, RefusedError } from '../problem.ts';
import type { MigrateReport } from '../operations.ts';
import { migrate, migrateUp, type ReleaseContext } from './programs.ts';
import { isBookkeeping } from './bookkeeping.ts';
import { planUndo } from './restore.ts';
import { hasNoDown, RESTORE_INSTEAD, takeDown } from './take-down.ts';
import type { DataPlan, Live, Tools, Work } from './work.ts';

type Ran = Work['ran'];

/** Writes wait while a migration runs: one that takes so much longer than they may, hangs. Somebody still looks then. */
const beyondHope = (holdMs: number) => Math.max(20_000, 10 * holdMs);

/** The deployed release, as its own programs see themselves. */
export function contextOf(work: Work): ReleaseContext {
  const { config, release, record, target, plan, signal, log } = work;
  if (!release) throw new FailedError('the release is not built yet');
  return {
    config,
    release,
    signal,
    log,
    // Up, down and up again on copies, and once more under the hold.
    runsAgain: plan.kind !== 'same',
    migrateMs: plan.kind === 'next' ? beyondHope(config.cutover.hold) : undefined,
    deployment: { id: record.id, commit: target.commit, branch: record.branch },
    background: mayTakeItsTime(work),
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
  return { config, release, signal, log, deployment: { id, commit, branch }, background: true };
}

export const liveContext = async (work: Work, live: Live): Promise<ReleaseContext> => ({
  ...(await contextOfLive(work.tools, live, work)),
  background: mayTakeItsTime(work),
});

/** No visitor waits for it, nobody wants to be back already, and no hold is forecast from how long it takes. */
const mayTakeItsTime = ({ record, hold, plan }: Work): boolean =>
  record.kind !== 'rollback' && hold === null && plan.kind === 'same';

/** How this deployment's database comes about; `copy` is a copy of the live one to ask the migrations on. */
export async function planData(work: Work, copy: Generation): Promise<DataPlan> {
  const { tools, config } = work;
  if (!config.commands.migrate) return { kind: 'same' };
  const { pending } = await migrate(tools, contextOf(work), copy, ['status']);
  return pending.length > 0 ? { kind: 'next', down: null } : { kind: 'same' };
}

/** How a rollback's database comes about: contract section 8. */
export async function planRollback(work: Work, live: Live): Promise<DataPlan> {
  const { rollbackTarget, record, log } = work;
  if (record.request.undoes) return planUndo(work, record.request.undoes);
  const now = live.record.applied ?? [];
  const then = rollbackTarget?.applied ?? [];
  if (record.request.restoreBackup) {
    if (!live.record.backup) throw new RefusedError(`there is no backup from before ${live.record.id}`);
    return { kind: 'restore', backup: live.record.backup, generation: null, files: false };
  }
  if (isSameList(now, then)) return { kind: 'same' };
  if (live.record.proven && live.record.previous === rollbackTarget?.id) {
    log('the earlier release was proven on the present schema: the code goes back alone');
    return { kind: 'same' };
  }
  const common = now.findIndex((name, index) => name !== then[index]);
  await demandWayBack(work, common === -1 ? [] : now.slice(common));
  return { kind: 'next', down: common === -1 ? null : (now[common - 1] ?? 'none') };
}

/** @throws RefusedError where a rehearsal has seen that `down` does not bring back what was */
async function demandWayBack({ tools, record }: Work, names: readonly string[]): Promise<void> {
  const ran = (await tools.journal.ranLive(record.environment, names)).flat();
  const oneWay = ran.find(({ reversible }) => !reversible);
  if (oneWay) throw notBack(hasNoDown(oneWay.name));
}

const notBack = (why: string) =>
  new RefusedError(`the migrations cannot be taken back: ${why}; ${RESTORE_INSTEAD}`);

/** Brings a copy to the schema of the release: `down` by the release that is live, `up` by the new one. */
export async function applyPlan(work: Work, generation: Generation): Promise<void> {
  const { tools, plan, config } = work;
  const generations = tools.generations(config);
  if (!generations) return;
  if (plan.kind === 'next')
    await touchingOnlyTheirs(generations, generation, () => runPlan(work, generation));
  else await runPlan(work, generation);
}

async function runPlan(work: Work, generation: Generation): Promise<Ran> {
  const { plan, config, live, rollbackTarget } = work;
  const back =
    plan.kind === 'next' && plan.down !== null && live ? await down(work, live, generation, plan.down) : null;
  // Its own programs had nothing more to do on this very schema when it was live.
  const isThere = back !== null && isSameList(back.applied, rollbackTarget?.applied);
  const up =
    config.commands.migrate && !isThere
      ? await bringUp(work, generation)
      : { ran: [], applied: back?.applied ?? [] };
  work.ran = up.ran;
  work.applied = up.applied;
  return [...(back?.ran ?? []), ...up.ran];
}

/** What a backup holds is not known beforehand. */
function bringUp(work: Work, generation: Generation) {
  const { tools, plan } = work;
  if (plan.kind === 'restore') return migrateUp(tools, contextOf(work), generation);
  return migrate(tools, contextOf(work), generation, ['up']);
}

function isSameList(one: readonly string[], other: readonly string[] | null | undefined): boolean {
  return one.length === other?.length && one.every((name, index) => name === other[index]);
}

async function down(work: Work, live: Live, copy: Generation, to: string): Promise<MigrateReport> {
  try {
    return await takeDown(work.tools, await liveContext(work, live), { copy, to });
  } catch (error) {
    work.signal.throwIfAborted();
    if (error instanceof CutOffError || error instanceof RefusedError) throw error;
    throw notBack(oneLine(error));
  }
}

/**
 * Runs migrations on a copy that nobody else writes to.
 * @throws FailedError when anything but the tables that they name as touched differs then: rows, indexes, triggers, sequences
 */
export async function touchingOnlyTheirs(
  generations: Generations,
  copy: Generation,
  run: () => Promise<Ran>,
): Promise<Ran> {
  const watch = await generations.watch(copy);
  try {
    const ran = await run();
    const touched = new Set(ran.flatMap(({ touches }) => touches));
    const found = (await watch.changed(touched)).filter(
      // A view holds no data.
      ({ table, kind }) => kind !== 'view' && !isBookkeeping(table),
    );
    if (found.length > 0) throw new FailedError(whoTouched(found, ran));
    return ran;
  } finally {
    await watch.end();
  }
}

function whoTouched(found: readonly Difference[], ran: Ran): string {
  const [name = '', ...more] = ran.map((migration) => migration.name);
  const by =
    more.length > 0 ? `one of the migrations ${[name, ...more].join(', ')}` : `the migration ${name}`;
  const tables = [...new Set(found.map(({ table }) => table))].join(', ');
  return `integrity: ${inWords(found)} by ${by}, which does not name ${tables} in touches`;
}
