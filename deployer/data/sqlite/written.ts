import { closeSync, openSync, readSync } from 'node:fs';
import type { Connection } from '../../../backups/sqlite/open.ts';
import { codeOf } from '../../problem.ts';

/** The write-ahead log: a header, then frames of a header and a page (https://sqlite.org/fileformat2.html#walformat). */
const HEADER = 32;
const FRAME_HEADER = 24;
const PAGE_SIZE_AT = 8;
/** Where so much was written, whole tables are compared sooner than pages are found. */
const MOST_FRAMES = 50_000;

/**
 * Tells of a table whether none of its pages was written since the snapshot that `main` keeps of a database in
 * write-ahead mode, of which `after` is the present state: then it holds the very same rows, and need not be read.
 * As long as a snapshot is kept, every page that is written stands in the log; what else stands there does no harm.
 */
export function untouchedTables(database: Connection, file: string): (table: string) => boolean {
  // From this read on `after` stays as it is; what the log holds then is all that was written before.
  database.prepare('SELECT 1 FROM after.sqlite_schema LIMIT 1').get();
  const pages = pagesIn(`${file}-wal`);
  if (pages === null) return () => false;
  const written = JSON.stringify([...pages]);
  const sameRoot = database.prepare<[string], 1>(
    `SELECT 1 FROM main.sqlite_schema AS a JOIN after.sqlite_schema AS b USING (type, name, rootpage)
     WHERE a.type = 'table' AND a.name = ?`,
  );
  const anyWritten = database.prepare<[string, string], 1>(
    `SELECT 1 FROM dbstat('main') WHERE name = ? AND pageno IN (SELECT value FROM json_each(?)) LIMIT 1`,
  );
  return (table) => sameRoot.get(table) !== undefined && anyWritten.get(table, written) === undefined;
}

/** The numbers of the pages in a log; null when there are too many, or there is no log. */
function pagesIn(log: string): Set<number> | null {
  const descriptor = openLog(log);
  if (descriptor === null) return null;
  try {
    const header = Buffer.alloc(HEADER);
    const pages = new Set<number>();
    if (readSync(descriptor, header, 0, HEADER, 0) < HEADER) return pages;
    const step = FRAME_HEADER + header.readUInt32BE(PAGE_SIZE_AT);
    const page = Buffer.alloc(4);
    for (let frame = 0; frame < MOST_FRAMES; frame++) {
      if (readSync(descriptor, page, 0, 4, HEADER + frame * step) < 4) return pages;
      pages.add(page.readUInt32BE());
    }
    return null;
  } finally {
    closeSync(descriptor);
  }
}

function openLog(log: string): number | null {
  try {
    return openSync(log, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
