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

/** Fills the notes up to that many megabytes, with rows of about a kilobyte of text that compresses as text does. */
export function fill(databaseFile: string, megabytes: number): void {
  const database = new DatabaseSync(databaseFile, { timeout: 30_000 });
  try {
    const [table = ''] = tablesOf(database);
    const insert = database.prepare(`INSERT INTO ${table} (text) VALUES (?)`);
    // The daemon's own copies are what is measured, not how long this takes.
    database.exec('PRAGMA synchronous = OFF');
    const random = seeded(1);
    const sentences = Array.from({ length: 5000 }, () => sentence(random));
    const pick = () => sentences[Math.floor(random() * sentences.length)];
    for (let left = megabytes * 1024 * 1024; left > 0;) {
      database.exec('BEGIN');
      for (let row = 0; row < ROWS_AT_ONCE && left > 0; row += 1) {
        const text = Array.from({ length: 14 }, pick).join(' ');
        insert.run(text);
        left -= text.length + ROW_OVERHEAD;
      }
      database.exec('COMMIT');
    }
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

/** The same pseudo-random numbers below 1 in every run (a linear congruential generator, Numerical Recipes). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** Few enough that the write-ahead log stays short. */
const ROWS_AT_ONCE = 20_000;
/** Bytes. */
const ROW_OVERHEAD = 30;

/** About seventy letters, of words that nobody knows. */
function sentence(random: () => number): string {
  const letter = () => 'etaoinshrdlucm'.charAt(Math.floor(random() * 14));
  const word = () => Array.from({ length: 2 + Math.floor(random() * 8) }, letter).join('');
  return `${Array.from({ length: 10 }, word).join(' ')}.`;
}

function tablesOf(database: DatabaseSync): string[] {
  const rows = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('notes', 'remarks')")
    .all();
  return rows.map(({ name }) => String(name));
}
