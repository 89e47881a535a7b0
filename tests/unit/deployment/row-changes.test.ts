import { describe, expect, it } from 'vitest';
import { changesBy, rowsLost, withRows } from '../../../deployer/deployment/row-changes.ts';

type Counts = Record<string, number>;

/** What became of the rows in one run of a migration that touches all of these tables. */
const run = (before: Counts, after: Counts) =>
  withRows(
    [
      {
        name: '002',
        durationMs: 1,
        touches: [...new Set([...Object.keys(before), ...Object.keys(after)])],
        reversible: true,
      },
    ],
    before,
    after,
  );

const lost = (now: Counts, then: Counts, ...runs: ReturnType<typeof run>[]) =>
  rowsLost(now, then, changesBy(runs));

describe('a down loses rows', () => {
  it('where a table has fewer than before it', () => {
    const column = run({ notes: 3 }, { notes: 3 });
    expect(lost({ notes: 5 }, { notes: 3 }, column)).toEqual({ rows: 2, tables: ['notes'] });
    expect(lost({ notes: 5 }, { notes: 5 }, column)).toBeNull();
  });

  it('where those that had moved are not back, in a table that was empty, too', () => {
    const moved = run({ notes: 0 }, { remarks: 0 });
    expect(lost({ remarks: 2 }, { notes: 0 }, moved)).toEqual({ rows: 2, tables: ['remarks'] });
    expect(lost({ remarks: 2 }, { notes: 2 }, moved)).toBeNull();
  });

  it('where a table comes back that holds only what was there before', () => {
    const copied = run({ notes: 3 }, { kept: 3, remarks: 3 });
    expect(lost({ kept: 3, remarks: 4 }, { notes: 3 }, copied)).toEqual({ rows: 1, tables: ['remarks'] });
  });

  it('where nobody noted what up did, and a table has fewer rows or others than before', () => {
    expect(lost({ notes: 2 }, { notes: 1 })).toEqual({ rows: 1, tables: ['notes'] });
    expect(lost({ remarks: 2 }, { notes: 0 })).toEqual({ rows: 2, tables: ['remarks'] });
  });

  it('whatever another table, in which visitors deleted what up had added, would make good', () => {
    const seeded = run({ notes: 1, kinds: 0 }, { notes: 1, kinds: 5 });
    expect(lost({ notes: 3, kinds: 0 }, { notes: 1, kinds: 0 }, seeded)).toEqual({
      rows: 2,
      tables: ['notes'],
    });
  });
});

describe('a down loses no rows', () => {
  it('that up had added', () => {
    const seeded = run({ kinds: 1 }, { kinds: 6 });
    expect(lost({ kinds: 6 }, { kinds: 1 }, seeded)).toBeNull();
    expect(lost({ kinds: 3 }, { kinds: 1 }, seeded)).toBeNull();
    expect(lost({ kinds: 7 }, { kinds: 1 }, seeded)).toEqual({ rows: 1, tables: ['kinds'] });
  });

  it('that the new release wrote to a table that is wholly new', () => {
    expect(lost({ notes: 2, moods: 9 }, { notes: 2 }, run({ notes: 1 }, { notes: 1, moods: 0 }))).toBeNull();
    const movedBeside = run({ notes: 1 }, { remarks: 1, moods: 0 });
    expect(lost({ remarks: 2, moods: 9 }, { notes: 2 }, movedBeside)).toBeNull();
  });

  it('that visitors deleted', () => {
    expect(lost({ remarks: 1 }, { notes: 1 }, run({ notes: 4 }, { remarks: 4 }))).toBeNull();
    const archived = run({ notes: 5 }, { notes: 2, archive: 3 });
    expect(lost({ notes: 2, archive: 1 }, { notes: 3 }, archived)).toBeNull();
  });

  it('that it takes back over several deployments, in tables that came with the first of them', () => {
    const first = run({ notes: 1 }, { notes: 1, moods: 0 });
    const second = run({ moods: 4 }, { feelings: 4 });
    expect(lost({ notes: 3, feelings: 6 }, { notes: 3 }, first, second)).toBeNull();
    expect(lost({ feelings: 6 }, { moods: 4 }, second)).toEqual({ rows: 2, tables: ['feelings'] });
  });

  it('where migration programs note what they applied', () => {
    expect(lost({ schema_migrations: 2 }, { schema_migrations: 1 })).toBeNull();
  });
});
