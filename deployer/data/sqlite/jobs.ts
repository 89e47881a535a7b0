import Database from 'better-sqlite3';
import { copyDatabase } from '../../../backups/sqlite/copy.ts';
import { countRows, fingerprint, type Fingerprint } from '../../../backups/sqlite/fingerprint.ts';
import { reading } from '../../../backups/sqlite/open.ts';
import { firstProblem, foreignKeys, quickIntegrity } from '../../../backups/sqlite/sound.ts';
import type { Difference, Marks, RowCounts, Unasked, UnaskedQuestion } from '../types.ts';
import { begin, copiesAhead, giveUp } from './ahead.ts';
import { lastEntry, unaskedWrites } from './audit.ts';
import { writeChanges } from './changes.ts';
import { compareDatabases } from './compare.ts';
import { markTables } from './mark.ts';
import { unwatch, watch, watched } from './watch.ts';
import { schemaText } from './schema.ts';

/** What the data thread does; each is a plain function of files, so that it runs as well without a thread. */
export const dataJobs = {
  create: (file: string): void => {
    const database = new Database(file);
    database.pragma('journal_mode = wal');
    database.close();
  },
  copy: ({ from, to }: { from: string; to: string }): Promise<void> => copyDatabase(from, to),
  copiesAhead,
  begin,
  giveUp,
  fingerprint: (file: string): Fingerprint => reading(file, fingerprint),
  rows: (file: string): RowCounts => reading(file, countRows),
  schema: (file: string): string => reading(file, schemaText),
  compare: ({ before, after, except }: CompareInput): Difference[] => compareDatabases(before, after, except),
  sound: (file: string): string | null => firstProblem(file, [quickIntegrity, foreignKeys]),
  changes: ({ now, earlier, file }: { now: string; earlier: string; file: string }): number =>
    writeChanges(now, earlier, file),
  lastAudited: (file: string): number | null => reading(file, lastEntry),
  unasked: ({ file, asked }: { file: string; asked: UnaskedQuestion }): Unasked =>
    reading(file, (database) => unaskedWrites(database, asked)),
  watch,
  watched,
  unwatch,
  mark: ({ file, tables }: { file: string; tables: readonly string[] }): Marks => markTables(file, tables),
};

export type DataJobs = typeof dataJobs;

interface CompareInput {
  before: string;
  after: string;
  except: ReadonlySet<string>;
}
