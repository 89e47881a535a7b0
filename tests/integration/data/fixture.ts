import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll } from 'vitest';

/** A directory that is gone after the file's tests. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'data-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs SQL on a database, creating it when it is not there. */
export function sql(file: string, text: string): void {
  const database = new Database(file);
  try {
    database.exec(text);
  } finally {
    database.close();
  }
}

/** A small database with everything that is hard to copy, compare or write as SQL. */
export function makeDatabase(file: string): void {
  sql(file, SCHEMA);
  const database = new Database(file);
  const values = database.prepare(`INSERT INTO "odd ""name"" 's" VALUES (?, ?, ?)`);
  values.run('text with \0 inside', 9_223_372_036_854_775_807n, Buffer.from([0, 255, 10]));
  values.run("it's\nlines; -- ü 𝄞", -9_223_372_036_854_775_808n, Buffer.alloc(0));
  values.run(null, 1, 1.0);
  const reals = database.prepare('INSERT INTO reals(value) VALUES (?)');
  for (const value of [0.1, 1e308, 5e-324, -1 / 3, Infinity, -Infinity, 123_456_789.123_456_79])
    reals.run(value);
  database.exec("INSERT INTO untyped VALUES (CAST(x'ff00fe' AS TEXT)), (1), (1.5), ('1'), (x'31')");
  database.close();
}

const SCHEMA = `
  PRAGMA journal_mode = wal;
  PRAGMA user_version = 7;
  CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE, age, secret BLOB);
  CREATE TABLE docs(id INTEGER PRIMARY KEY, title TEXT NOT NULL, length INT AS (length(title)) STORED,
    loud TEXT AS (upper(title)), user_id REFERENCES users(id));
  CREATE INDEX docs_by_title ON docs(title) WHERE title <> '';
  CREATE VIRTUAL TABLE docs_fts USING fts5(title, content = 'docs', content_rowid = 'id');
  CREATE VIRTUAL TABLE notes USING fts5(body);
  CREATE TABLE pairs(a TEXT, b INT, value TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID;
  CREATE TABLE untyped(value);
  CREATE TABLE reals(rowid TEXT, value REAL);
  CREATE TABLE "odd ""name"" 's"("a ""b""" TEXT, "select" INT, blob);
  CREATE TABLE sessions(id TEXT PRIMARY KEY);
  CREATE TABLE audit_log(id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, actor_id INT, deployment_id TEXT,
    request_id TEXT, table_name TEXT, row_id TEXT, action TEXT);
  CREATE VIEW titles AS SELECT title FROM docs;
  INSERT INTO users(name, age, secret) VALUES ('Ann', 1, x'00'), ('Bob', 2, NULL), ('Cid', 3, x'ff'), ('Dan', 4, NULL);
  DELETE FROM users WHERE name = 'Dan';
  INSERT INTO docs(id, title, user_id) VALUES (1, 'the first', 1), (2, 'the second', 2), (900, 'the last', NULL);
  INSERT INTO docs_fts(docs_fts) VALUES ('rebuild');
  INSERT INTO notes(body) VALUES ('a note to find');
  INSERT INTO pairs VALUES ('x', 1, 'one'), ('x', 2, 'two'), ('y', 1, 'three');
  CREATE TRIGGER users_audit AFTER UPDATE ON users BEGIN
    INSERT INTO audit_log(at, deployment_id, table_name, row_id, action)
      VALUES ('2026-11-20T12:00:00Z', 'd42', 'users', NEW.id, 'update');
  END;
  CREATE TRIGGER docs_added AFTER INSERT ON docs BEGIN
    INSERT INTO docs_fts(rowid, title) VALUES (NEW.id, NEW.title);
  END;
  ANALYZE;
`;
