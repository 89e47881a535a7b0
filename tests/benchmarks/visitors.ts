import { fork } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Order, Seen } from './load-generator.ts';

const GENERATOR = fileURLToPath(new URL('load-generator.ts', import.meta.url));
const WRITES = 0.2;
/** Before and after what happens. */
const MARGIN_MS = 1000;

/** Lets visitors come at a steady rate while `act` runs. */
export async function visitedDuring(
  visit: { front: number; rate: number },
  act: () => Promise<void>,
): Promise<Seen> {
  const generator = fork(GENERATOR, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    generator.send({ port: visit.front, rate: visit.rate, writes: WRITES } satisfies Order);
    await sleep(MARGIN_MS);
    await act();
    await sleep(MARGIN_MS);
    const answered = once(generator, 'message');
    generator.send('stop' satisfies Order);
    const [seen] = (await answered) as [Seen];
    return seen;
  } finally {
    generator.kill('SIGKILL');
  }
}

/** Which of the acknowledged writes are not in the database. */
export function lostIn(databaseFile: string, acknowledged: readonly string[]): string[] {
  const database = new DatabaseSync(databaseFile, { readOnly: true });
  try {
    const texts = new Set<unknown>();
    for (const table of tablesOf(database)) {
      // The load's own notes; what fills the database is longer.
      const rows = database.prepare(`SELECT text FROM ${table} WHERE length(text) < 40`).all();
      for (const { text } of rows) texts.add(text);
    }
    return acknowledged.filter((text) => !texts.has(text));
  } finally {
    database.close();
  }
}

/** Fills the notes up to that many megabytes, with rows of about a kilobyte. */
export function fill(databaseFile: string, megabytes: number): void {
  const database = new DatabaseSync(databaseFile, { timeout: 30_000 });
  try {
    const [table = ''] = tablesOf(database);
    const rows = Math.round((megabytes * 1024) / 1.03);
    const chunk = 10_000;
    for (let left = rows; left > 0; left -= chunk) {
      database
        .prepare(
          `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
           INSERT INTO ${table} (text) SELECT hex(randomblob(500)) FROM n`,
        )
        .run(Math.min(chunk, left));
    }
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

function tablesOf(database: DatabaseSync): string[] {
  const rows = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('notes', 'remarks')")
    .all();
  return rows.map(({ name }) => String(name));
}
