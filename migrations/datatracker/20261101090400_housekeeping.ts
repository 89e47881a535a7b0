import type { Knex } from 'knex';
import { dropTables, oneOf, reference, utc } from './parts/columns.ts';

export const touches = ['rate_counters', 'cache_versions', 'transfer_batches', 'settings'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('rate_counters', (table) => {
    table.string('key', 200).notNullable();
    utc(table, 'window_start').notNullable();
    table.integer('count').notNullable();
    table.primary(['key', 'window_start']);
  });
  await knex.schema.createTable('cache_versions', (table) => {
    table.string('key', 100).primary();
    table.integer('version').notNullable();
  });
  await knex.schema.createTable('transfer_batches', (table) => {
    table.increments('id');
    table.string('direction', 10).notNullable();
    table.string('sha256', 64).notNullable();
    table.text('manifest').notNullable();
    reference(table, 'user_id', 'users');
    utc(table, 'created_at').notNullable();
    table.unique(['direction', 'sha256']);
    table.check(oneOf('direction', ['export', 'import']), [], 'transfer_batches_direction');
  });
  await knex.schema.createTable('settings', (table) => {
    table.string('key', 100).primary();
    table.text('value').notNullable();
    utc(table, 'updated_at').notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, touches);
}
