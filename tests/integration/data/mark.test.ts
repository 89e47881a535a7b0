import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataJobs } from '../../../deployer/data/sqlite/jobs.ts';
import { reading } from '../../../backups/sqlite/open.ts';
import { sql, temporaryDirectory } from './fixture.ts';

const directory = temporaryDirectory();
let number = 0;

function marked(schema: string, ...tables: string[]) {
  const file = join(directory, `${++number}.db`);
  sql(file, schema);
  const marks = dataJobs.mark({ file, tables });
  const problems = reading(file, (database) => database.pragma('foreign_key_check'));
  return { marks, rows: dataJobs.rows(file), problems };
}

describe('a row is written', () => {
  it.each([
    [
      'as a double with a key of its own',
      `(id INTEGER PRIMARY KEY, text TEXT); INSERT INTO t VALUES (1, 'a')`,
    ],
    [
      'as a double whose unique text still looks right',
      `(text TEXT UNIQUE CHECK (text GLOB '*@*.org')); INSERT INTO t VALUES ('a@b.org')`,
    ],
  ])('%s', (_how, definition) => {
    expect(marked(`CREATE TABLE t ${definition}`, 't')).toMatchObject({
      marks: { doubled: ['t'], made: [] },
      rows: { t: 2 },
    });
  });

  it.each([
    ['that is empty', '(id INTEGER PRIMARY KEY, text TEXT NOT NULL)'],
    ['whose key is text', '(name TEXT PRIMARY KEY, at DATETIME NOT NULL, size REAL NOT NULL) WITHOUT ROWID'],
    [
      'with a list of what is allowed',
      `(id INTEGER PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('open', 'shut')))`,
    ],
    [
      'with a default that alone will do',
      `(id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 7 CHECK (n = 7))`,
    ],
    ['in which what may be missing has to', '(text TEXT NOT NULL, other TEXT CHECK (other IS NULL))'],
    ['of one number', '(id INTEGER PRIMARY KEY)'],
    ['that computes', '(a INTEGER NOT NULL, b INTEGER GENERATED ALWAYS AS (a + 1))'],
    [
      'whose one row cannot be doubled',
      `(a TEXT NOT NULL UNIQUE CHECK (length(a) = 18)); INSERT INTO t VALUES ('123456789012345678')`,
    ],
  ])('that is made up, to a table %s', (_which, definition) => {
    const { marks, rows } = marked(`CREATE TABLE t ${definition}`, 't');
    expect(marks).toEqual({ doubled: [], made: ['t'] });
    expect(rows['t']).toBe(definition.includes('INSERT') ? 2 : 1);
  });

  it('with references that hold: to a row that is there, or to one that is made up, too', () => {
    const schema = `
      CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
      CREATE TABLE kinds (name TEXT PRIMARY KEY);
      INSERT INTO kinds VALUES ('memo');
      CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES authors, kind TEXT NOT NULL REFERENCES kinds (name));`;
    expect(marked(schema, 'notes')).toEqual({
      marks: { doubled: [], made: ['notes'] },
      rows: { authors: 1, kinds: 1, notes: 1 },
      problems: [],
    });
  });
});

it('writes nothing where a trigger or a check refuses whatever it makes up', () => {
  const schema = `
    CREATE TABLE guarded (text TEXT);
    CREATE TRIGGER no BEFORE INSERT ON guarded BEGIN SELECT raise(ABORT, 'no'); END;
    CREATE TABLE strange (text TEXT NOT NULL CHECK (text GLOB 'note: *!'));`;
  expect(marked(schema, 'guarded', 'strange', 'missing')).toMatchObject({
    marks: { doubled: [], made: [] },
    rows: { guarded: 0, strange: 0 },
  });
});
