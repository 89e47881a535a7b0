import { addFiles } from './add-files.ts';
import type { Check } from './check.ts';
import { createBackup } from './create.ts';
import { writeSql } from './export.ts';
import { pathOf, restoreDatabase, restoreFiles, type Which } from './restore.ts';
import { withScratch } from './scratch.ts';
import { verifyFiles } from './verify.ts';

/** What the backups' thread does; each is a plain function, so that it runs as well without a thread. */
export const backupJobs = {
  create: createBackup,
  verify: ({ directory, id }: Which, signal: AbortSignal): Promise<Check[]> => {
    const path = pathOf({ directory, id });
    return withScratch(directory, (scratch) => verifyFiles({ path, id, scratch }, signal));
  },
  restoreDatabase,
  restoreFiles,
  addFiles,
  /** Restores the database to `<scratch>/database.sqlite3` and writes it as SQL text to `toFile`. */
  exportSql: async (
    { scratch, toFile, ...which }: Which & { scratch: string; toFile: string },
    signal: AbortSignal,
  ) => {
    const databaseFile = `${scratch}/database.sqlite3`;
    await restoreDatabase({ ...which, toFile: databaseFile }, signal);
    writeSql(databaseFile, toFile);
  },
};

export type BackupJobs = typeof backupJobs;
