import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { main as migrate } from '../../../migrations/main.ts';

const AT = '2026-11-01T12:00:00.000Z';

/** Three documents: a published one, one in last call with a thread of comments, and an active one without anything. */
const SEED = `
insert into users (id, email, name, password_hash, created_at) values
  (1, 'ada@example.org', 'Ada', 'x', '${AT}'), (2, 'ben@example.org', 'Ben', 'x', '${AT}');
insert into groups (id, acronym, name, created_at) values (1, 'layer', 'Layering', '${AT}');
insert into documents (id, name, title, abstract, state, group_id, current_rev, ml_number, created_at, updated_at, published_at) values
  (1, 'draft-ada-layer-one', 'Layers <& "levels">', 'About layers.', 'published', 1, '01', 1, '${AT}', '${AT}', '${AT}'),
  (2, 'draft-ada-layer-two', 'More layers', 'More.', 'last-call', 1, '00', null, '${AT}', '${AT}', null),
  (3, 'draft-ben-layer-three', 'Even more', 'Most.', 'active', null, '00', null, '${AT}', '${AT}', null);
insert into revisions (id, doc_id, rev, title, abstract, sha256, created_at) values
  (1, 1, '00', 'Layers', 'About.', 'a', '${AT}'), (2, 1, '01', 'Layers', 'About.', 'b', '${AT}'),
  (3, 2, '00', 'More', 'More.', 'c', '${AT}'), (4, 3, '00', 'Even', 'Most.', 'd', '${AT}');
insert into revision_files (revision_id, format, bytes, storage_key)
  select id, 'txt', 5, 'key-' || id from revisions;
insert into authors (doc_id, position, name, email, user_id)
  select id, 1, 'Ada', 'ada@example.org', 1 from documents;
insert into events (doc_id, type, actor_id, data, created_at) select id, 'submitted', 1, '{}', '${AT}' from documents;
insert into last_calls (doc_id, opened_by, opened_at, ends_at) values (2, 1, '${AT}', '2099-01-01T00:00:00.000Z');
insert into comments (id, doc_id, parent_id, root_id, depth, author_id, body, created_at) values
  (1, 2, null, null, 0, 1, 'First', '${AT}'), (2, 2, 1, 1, 1, 2, 'Second', '${AT}'), (3, 2, 2, 1, 2, 1, 'Third', '${AT}');
update counters set value = 1 where key = 'ml_number';
`;

/** Gives each test its own copy of a database that was migrated by the tree's migrations, seeded or empty. */
export function databases() {
  const home = mkdtempSync(path.join(tmpdir(), 'verify-databases-'));
  const template = { empty: path.join(home, 'empty.db'), seeded: path.join(home, 'seeded.db') };
  beforeAll(async () => {
    const quiet = { write: () => true };
    const exitCode = await migrate(
      ['up'],
      { DATABASE_FILE: template.empty },
      { stdout: quiet, stderr: quiet },
    );
    if (exitCode !== 0) throw new Error('the migrations of the tree fail');
    copyFileSync(template.empty, template.seeded);
    change(template.seeded, SEED);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  let copies = 0;
  return {
    home,
    copy: (kind: keyof typeof template = 'seeded'): string => {
      const file = path.join(home, `copy-${copies++}.db`);
      copyFileSync(template[kind], file);
      onTestFinished(() => {
        for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
      });
      return file;
    },
  };
}

/** Changes a database behind everybody's back. */
export function change(file: string, sql: string): void {
  const database = new Database(file);
  try {
    database.unsafeMode();
    database.pragma('foreign_keys = off');
    database.pragma('ignore_check_constraints = on');
    database.exec(sql);
  } finally {
    database.close();
  }
}
