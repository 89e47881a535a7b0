import type { Generation, Generations, RowCounts, Watch } from '../../data/types.ts';
import { CutOffError, oneLine } from '../../problem.ts';
import { stop } from '../instance.ts';
import { contextOf, isBookkeeping, liveContext, touchingOnlyTheirs } from '../migration.ts';
import { migrate, verify } from '../programs.ts';
import { firstFailure } from '../reports/words.ts';
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

/**
 * Whether the migrations can be taken back: `down` restores schema and data exactly, `up` does it again, and rows that
 * are written after it outlive a `down`. Returns null, or why not.
 */
export async function whyNoWayBack(
  work: Work,
  generations: Generations,
  copy: Generation,
  before: Before,
): Promise<string | null> {
  const oneWay = work.ran.filter(({ reversible }) => !reversible).map(({ name }) => name);
  if (oneWay.length > 0) return `${oneWay.join(', ')} has no down`;
  const names = work.ran.map(({ name }) => name).join(', ');
  try {
    const problem =
      (await restores(work, generations, copy, before)) ?? (await loses(work, generations, copy, before));
    return problem && `the down of ${names} ${problem}`;
  } catch (error) {
    work.signal.throwIfAborted();
    if (error instanceof CutOffError) throw error;
    return `the down of ${names} failed: ${oneLine(error)}`;
  }
}

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
async function loses(
  work: Work,
  generations: Generations,
  copy: Generation,
  before: Before,
): Promise<string | null> {
  const touched = [...new Set(work.ran.flatMap(({ touches }) => touches))];
  const up = await generations.rows(copy);
  const existed = touched.filter((table) => table in before.rows);
  // Only rows that moved have to move back; what is in a table that is wholly new belongs to the new release. A table that
  // is gone may have been empty only today.
  const moved = existed.some((table) => !(table in up) || (up[table] ?? 0) < (before.rows[table] ?? 0));
  const marked = await generations.mark(copy, moved ? touched : existed);
  if (marked.length === 0) return null;
  await migrate(work.tools, contextOf(work), copy, ['down', '--to', before.newest]);
  const count = (rows: RowCounts) => existed.reduce((sum, table) => sum + (rows[table] ?? 0), 0);
  const missing = count(before.rows) + marked.length - count(await generations.rows(copy));
  return missing > 0 ? `loses rows written after it: a row written to ${marked.join(' or ')} was gone` : null;
}
