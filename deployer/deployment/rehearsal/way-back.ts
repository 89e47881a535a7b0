import type { Generation, Generations, RowCounts, Watch } from '../../data/types.ts';
import { CutOffError, oneLine } from '../../problem.ts';
import { stop } from '../instance.ts';
import { isBookkeeping } from '../bookkeeping.ts';
import { contextOf, liveContext, touchingOnlyTheirs } from '../migration.ts';
import { migrate, verify } from '../programs.ts';
import { firstFailure } from '../reports/words.ts';
import { changesBy, rowsLost, tablesToKeep, withRows } from '../row-changes.ts';
import type { Live, Work } from '../work.ts';
import { bootOn } from './boot-on.ts';

/** A copy of the live database before its migrations. */
export interface Before {
  schema: string;
  rows: RowCounts;
  /** Still sees it as it was. */
  watch: Watch;
  /** The newest migration applied, `none` without one. */
  newest: string;
}

/** May we go back by pointer alone? The earlier release's own suites on the migrated copy say so. */
export async function earlierRunsOn(work: Work, copy: Generation, live: Live): Promise<boolean> {
  const { tools } = work;
  try {
    const released = await liveContext(work, live);
    // Its instance says the deployment that started it: this one.
    const context = { ...released, deployment: { ...released.deployment, id: work.record.id } };
    const instance = await bootOn(work, context, copy, 'earlier');
    try {
      const asked = { instance, generation: copy, suites: live.config.verify.suites ?? [] };
      const failure = firstFailure(await verify(tools, context, asked));
      if (failure) work.log(`the live release does not run on the new schema: ${failure}`);
      return failure === null;
    } finally {
      await stop(tools, instance, 0);
    }
  } catch (error) {
    work.signal.throwIfAborted();
    if (error instanceof CutOffError) throw error;
    work.log(`the live release on the new schema: ${oneLine(error)}`);
    return false;
  }
}

/** Whether the migrations can be taken back. */
export interface WayBack {
  /** Why not, or null. */
  problem: string | null;
  /** Tables of which it could not be tried whether rows that are written after the migrations stay. */
  untried: string[];
}

/**
 * Tries to take the migrations back: `down` restores schema and data exactly, `up` does it again, and rows that are
 * written after it outlive a `down`.
 */
export async function tryWayBack(
  work: Work,
  generations: Generations,
  copy: Generation,
  states: { before: Before; after: RowCounts },
): Promise<WayBack> {
  const oneWay = work.ran.filter(({ reversible }) => !reversible).map(({ name }) => name);
  if (oneWay.length > 0) return noWay(`${oneWay.join(', ')} has no down`);
  const names = work.ran.map(({ name }) => name).join(', ');
  try {
    const problem = await restores(work, generations, copy, states.before);
    const found = problem === null ? await keeps(work, generations, copy, states) : noWay(problem);
    return { ...found, problem: found.problem && `the down of ${names} ${found.problem}` };
  } catch (error) {
    work.signal.throwIfAborted();
    if (error instanceof CutOffError) throw error;
    return noWay(`the down of ${names} failed: ${oneLine(error)}`);
  }
}

const noWay = (problem: string): WayBack => ({ problem, untried: [] });

async function restores(
  work: Work,
  generations: Generations,
  copy: Generation,
  before: Before,
): Promise<string | null> {
  const down = await touchingOnlyTheirs(generations, copy, async () => {
    const args = ['down', '--to', before.newest] as const;
    return (await migrate(work.tools, contextOf(work), copy, args)).ran;
  });
  if ((await generations.schema(copy)) !== before.schema) return 'does not restore the schema';
  // Of all others it was seen that neither way touches them.
  const touched = new Set([...work.ran, ...down].flatMap(({ touches }) => touches));
  const others = Object.keys(before.rows).filter((table) => !touched.has(table) && !isBookkeeping(table));
  const differences = await before.watch.changed(new Set(others), copy);
  const rows = differences.find(({ kind }) => kind === 'rows');
  if (rows) return `does not restore the data of ${rows.table}`;
  await migrate(work.tools, contextOf(work), copy, ['up']);
  return null;
}

/** Rows written to the migrated copy must be somewhere after `down`; a `down` that drops them is no way back. */
async function keeps(
  work: Work,
  generations: Generations,
  copy: Generation,
  { before, after }: { before: Before; after: RowCounts },
): Promise<WayBack> {
  const changes = changesBy([withRows(work.ran, before.rows, after)]);
  const kept = tablesToKeep(after, before.rows, changes).filter(
    (table) => table in changes && table in after,
  );
  const { doubled, made } = await generations.mark(copy, kept);
  const marked = [...doubled, ...made];
  const now = await generations.rows(copy);
  try {
    if (marked.length > 0) await migrate(work.tools, contextOf(work), copy, ['down', '--to', before.newest]);
  } catch (error) {
    if (error instanceof CutOffError || work.signal.aborted || made.length === 0) throw error;
    // It went well before: what nobody would write may be more than it can take.
    return { problem: null, untried: kept };
  }
  const lost = marked.length > 0 && rowsLost(now, await generations.rows(copy), changes);
  if (lost)
    return noWay(`loses rows written after it: a row written to ${lost.tables.join(' or ')} was gone`);
  return { problem: null, untried: kept.filter((table) => !marked.includes(table)) };
}
