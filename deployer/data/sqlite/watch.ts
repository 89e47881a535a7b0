import { randomUUID } from 'node:crypto';
import { fingerprint } from '../../../backups/sqlite/fingerprint.ts';
import { openForReading, type Connection } from '../../../backups/sqlite/open.ts';
import { differing } from '../fingerprint.ts';

/** A look into the past: `before` keeps the snapshot of when the watch began, `now` sees what is committed. */
interface Watch {
  before: Connection;
  now: Connection;
  version: unknown;
}

const watches = new Map<string, Watch>();

/** Begins to watch a database in write-ahead mode; returns the watch's id. Costs nothing until something is written. */
export function watch(file: string): string {
  const before = openForReading(file);
  const now = openForReading(file);
  before.exec('BEGIN');
  // The first read takes the snapshot.
  before.prepare('SELECT count(*) FROM sqlite_master').get();
  const id = randomUUID();
  watches.set(id, { before, now, version: versionOf(now) });
  return id;
}

/** The tables that differ from when the watch began. Without a commit since, SQLite's own counter says so at once. */
export function watched(id: string): string[] {
  const { before, now, version } = get(id);
  return versionOf(now) === version ? [] : differing(fingerprint(before), now.transaction(fingerprint)(now));
}

export function unwatch(id: string): void {
  const { before, now } = get(id);
  watches.delete(id);
  before.close();
  now.close();
}

const versionOf = (database: Connection): unknown => database.pragma('data_version', { simple: true });

function get(id: string): Watch {
  const found = watches.get(id);
  if (!found) throw new Error('the watch has ended: the data thread was started anew');
  return found;
}
