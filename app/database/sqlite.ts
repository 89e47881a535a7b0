import { existsSync } from 'node:fs';
import knexFactory, { type Knex } from 'knex';

interface Connection {
  pragma(text: string): unknown;
}

/** A handle that cannot write, whoever asks it to. Pages are read through it, so no GET can change data. */
export function openReader(file: string): Knex {
  return connect(file, { readonly: true }, () => {});
}

/** The one handle that writes. One connection: a pragma reaches every later query, and transactions queue. */
export function openWriter(file: string, isReadOnly: () => boolean): Knex {
  return connect(file, {}, (connection) => {
    // an answered write outlives a power failure, not only a crash of the process
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = ON');
    connection.pragma('recursive_triggers = ON');
    connection.pragma(`query_only = ${isReadOnly() ? 'ON' : 'OFF'}`);
  });
}

/** Opening to write would create what is missing, and an empty database would hide that the real one is not there. */
export function assertDatabaseFile(file: string): void {
  if (!existsSync(file)) throw new Error('the database file does not exist');
}

/** Waits for the transaction in flight, since there is one connection. */
export async function setQueryOnly(writer: Knex, on: boolean): Promise<void> {
  await writer.raw(`PRAGMA query_only = ${on ? 'ON' : 'OFF'}`);
}

function connect(file: string, options: object, prepare: (connection: Connection) => void): Knex {
  return knexFactory({
    client: 'better-sqlite3',
    useNullAsDefault: true,
    connection: { filename: file, options },
    pool: {
      // Once opened it stays so: without a connection SQLite removes the files that a reader needs, and could not make
      // them again on a full disk.
      min: 1,
      max: 1,
      afterCreate: (connection: Connection, done: (error: Error | null, connection: Connection) => void) => {
        prepare(connection);
        done(null, connection);
      },
    },
  });
}

/** Words that a person typed, as a full-text query in which nothing of it is syntax. Null: nothing to look for. */
export function fullTextQuery(text: string): string | null {
  const words = text.match(/[\p{L}\p{N}]+/gu)?.slice(0, 12) ?? [];
  if (words.length === 0) return null;
  return words.map((word, index) => (index === words.length - 1 ? `"${word}"*` : `"${word}"`)).join(' ');
}

/** Keeps those documents whose text matches. */
export function whereTextMatches(query: Knex.QueryBuilder, match: string): void {
  query.whereRaw('documents.id IN (SELECT rowid FROM documents_fts WHERE documents_fts MATCH ?)', [match]);
}

/** Puts a revision's authors and text beside the name and title that triggers keep. */
export async function indexText(trx: Knex, docId: number, authors: string, body: string): Promise<void> {
  await trx('documents_fts').where({ rowid: docId }).update({ authors, body });
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && error.message.includes('UNIQUE constraint failed');
}
