import type { Knex } from 'knex';

/** The full-text index and its shadow tables. Name, number, title and abstract follow the row; authors and text are written by the application. */
export const touches = [
  'documents_fts',
  'documents_fts_data',
  'documents_fts_idx',
  'documents_fts_content',
  'documents_fts_docsize',
  'documents_fts_config',
];

const NUMBER = "CASE WHEN NEW.ml_number IS NULL THEN '' ELSE printf('ML-%03d', NEW.ml_number) END";

const UP = [
  `CREATE VIRTUAL TABLE documents_fts USING fts5(
     name, number, title, abstract, authors, body, tokenize = "unicode61 remove_diacritics 2")`,
  `CREATE TRIGGER documents_fts_insert AFTER INSERT ON documents BEGIN
     INSERT INTO documents_fts (rowid, name, number, title, abstract, authors, body)
     VALUES (NEW.id, NEW.name, ${NUMBER}, NEW.title, NEW.abstract, '', '');
   END`,
  `CREATE TRIGGER documents_fts_update AFTER UPDATE OF name, ml_number, title, abstract ON documents BEGIN
     UPDATE documents_fts SET name = NEW.name, number = ${NUMBER}, title = NEW.title, abstract = NEW.abstract
      WHERE rowid = NEW.id;
   END`,
  `CREATE TRIGGER documents_fts_delete AFTER DELETE ON documents BEGIN
     DELETE FROM documents_fts WHERE rowid = OLD.id;
   END`,
  `INSERT INTO documents_fts (rowid, name, number, title, abstract, authors, body)
     SELECT id, name, ${NUMBER.replaceAll('NEW.', '')}, title, abstract, '', '' FROM documents`,
];

const DOWN = [
  'DROP TRIGGER documents_fts_insert',
  'DROP TRIGGER documents_fts_update',
  'DROP TRIGGER documents_fts_delete',
  'DROP TABLE documents_fts',
];

export async function up(knex: Knex): Promise<void> {
  for (const statement of UP) await knex.raw(statement);
}

export async function down(knex: Knex): Promise<void> {
  for (const statement of DOWN) await knex.raw(statement);
}
