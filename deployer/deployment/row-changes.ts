import type { RowCounts } from '../data/types.ts';
import type { MigrateReport } from '../operations.ts';
import { isBookkeeping } from './bookkeeping.ts';

/** How many rows a table had before and after migrations ran; null: it was not there. */
interface RowChange {
  before: number | null;
  after: number | null;
}
type RowChanges = Readonly<Record<string, RowChange>>;

/** A migration that ran, with what became of the rows of its tables in the run that it was part of. */
export type RanMigration = MigrateReport['ran'][number] & { rows?: RowChanges };

/** Adds to migrations that ran together what became of the rows of their tables. */
export function withRows(ran: MigrateReport['ran'], before: RowCounts, after: RowCounts): RanMigration[] {
  const change = (table: string): RowChange => ({
    before: before[table] ?? null,
    after: after[table] ?? null,
  });
  return ran.map((migration) => ({
    ...migration,
    rows: Object.fromEntries(migration.touches.map((table) => [table, change(table)])),
  }));
}

/** What became of the rows in runs of migrations, oldest first, between which visitors wrote. */
export function changesBy(runs: readonly (readonly RanMigration[])[]): RowChanges {
  const all: Record<string, RowChange> = {};
  for (const run of runs) {
    const own = Object.assign({}, ...run.map(({ rows }) => rows ?? {})) as RowChanges;
    for (const [table, change] of Object.entries(own)) {
      const earlier = all[table];
      all[table] = earlier ? after(earlier, change) : change;
    }
  }
  return all;
}

const after = (earlier: RowChange, change: RowChange): RowChange => ({
  before: earlier.before,
  after: change.after === null ? null : (earlier.before ?? 0) + added(earlier) + added(change),
});

const added = (change: RowChange | undefined): number => (change?.after ?? 0) - (change?.before ?? 0);

/**
 * The tables whose rows have to be somewhere after `down`: those that are there after it, and, where rows of one of them
 * had moved, those that they may have moved to. What else is in a table that is wholly new belongs to the new release.
 * @param now before `down`
 * @param then after it
 */
export function tablesToKeep(now: RowCounts, then: RowCounts, changes: RowChanges): string[] {
  const sources = movedFrom(now, then, changes);
  // Of an empty table nobody can see where its rows would have gone.
  const isShown = sources.every((table) => (changes[table]?.before ?? 0) > 0);
  const isFilled = (table: string) => changes[table]?.after !== 0;
  const fresh = Object.keys(now).filter((table) => !(table in then));
  const filled = sources.length === 0 ? [] : fresh.filter((table) => !isShown || isFilled(table));
  return [...Object.keys(then), ...filled].filter((table) => !isBookkeeping(table));
}

const movedFrom = (now: RowCounts, then: RowCounts, changes: RowChanges): string[] =>
  Object.keys(then).filter(
    (table) => !isBookkeeping(table) && (!(table in now) || added(changes[table]) < 0),
  );

/**
 * The rows that `down` has lost: those that were there before it, less what `up` had added, and are not there after it;
 * null: none. Where rows had moved, tables that were touched make good for each other.
 */
export function rowsLost(
  now: RowCounts,
  then: RowCounts,
  changes: RowChanges,
): { rows: number; tables: string[] } | null {
  const moved = movedFrom(now, then, changes).length > 0;
  const missing = tablesToKeep(now, then, changes).map((table) => ({
    table,
    rows: (now[table] ?? 0) - added(changes[table]) - (then[table] ?? 0),
    together: moved && (table in changes || !(table in now) || !(table in then)),
  }));
  const inAll = missing.reduce((sum, { rows, together }) => sum + (together ? rows : 0), 0);
  const lost = missing.filter(({ rows, together }) => rows > 0 && (!together || inAll > 0));
  const alone = lost.reduce((sum, { rows, together }) => sum + (together ? 0 : rows), 0);
  const rows = Math.max(0, inAll) + alone;
  return rows > 0 ? { rows, tables: lost.map(({ table }) => table) } : null;
}
