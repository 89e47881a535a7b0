import type { Knex } from 'knex';
import { dropTables, oneOf, reference, utc } from './parts/columns.ts';

export const touches = ['documents', 'revisions', 'revision_files', 'authors', 'events', 'counters'];

const STATES = ['active', 'last-call', 'approved', 'published', 'withdrawn', 'expired'];
const FORMATS = ['txt', 'md', 'xml', 'pdf'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('documents', (table) => {
    table.increments('id');
    table.string('name', 50).notNullable().unique();
    table.string('title', 200).notNullable();
    table.text('abstract').notNullable();
    table.string('state', 20).notNullable();
    reference(table, 'group_id', 'groups').index();
    table.string('current_rev', 2).notNullable();
    table.integer('ml_number').unique();
    utc(table, 'created_at').notNullable();
    utc(table, 'updated_at').notNullable();
    utc(table, 'published_at');
    table.integer('row_version').notNullable().defaultTo(1);
    table.index(['updated_at', 'id']);
    table.index(['title', 'id']);
    table.check(oneOf('state', STATES), [], 'documents_state');
    table.check('ml_number > 0', [], 'documents_ml_number');
    table.check("state NOT IN ('approved', 'published') OR ml_number IS NOT NULL", [], 'documents_numbered');
    table.check("state <> 'published' OR published_at IS NOT NULL", [], 'documents_published');
  });
  await knex.schema.createTable('revisions', (table) => {
    table.increments('id');
    reference(table, 'doc_id', 'documents').notNullable();
    table.string('rev', 2).notNullable();
    table.string('title', 200).notNullable();
    table.text('abstract').notNullable();
    table.string('sha256', 64).notNullable();
    reference(table, 'submitted_by', 'users');
    utc(table, 'created_at').notNullable();
    table.unique(['doc_id', 'rev']);
  });
  await knex.schema.createTable('revision_files', (table) => {
    table.increments('id');
    reference(table, 'revision_id', 'revisions').notNullable();
    table.string('format', 4).notNullable();
    table.integer('bytes').notNullable();
    table.string('storage_key', 80).notNullable();
    table.unique(['revision_id', 'format']);
    table.check(oneOf('format', FORMATS), [], 'revision_files_format');
  });
  await knex.schema.createTable('authors', (table) => {
    table.increments('id');
    reference(table, 'doc_id', 'documents').notNullable();
    table.integer('position').notNullable();
    table.string('name', 100).notNullable();
    table.string('email', 254).notNullable();
    reference(table, 'user_id', 'users').index();
    table.unique(['doc_id', 'position']);
  });
  await knex.schema.createTable('events', (table) => {
    table.increments('id');
    reference(table, 'doc_id', 'documents').notNullable();
    table.string('type', 30).notNullable();
    reference(table, 'actor_id', 'users');
    table.text('data').notNullable();
    utc(table, 'created_at').notNullable();
    table.index(['doc_id', 'id']);
  });
  await knex.schema.createTable('counters', (table) => {
    table.string('key', 40).primary();
    table.integer('value').notNullable();
  });
  await knex('counters').insert({ key: 'ml_number', value: 0 });
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, touches);
}
