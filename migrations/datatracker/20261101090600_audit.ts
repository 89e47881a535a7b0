import type { Knex } from 'knex';
import { oneOf, utc } from './parts/columns.ts';
import { auditTable, unauditTable } from './parts/audit.ts';

export const touches = ['audit_log', 'audit_context'];

const AUDITED = [
  'users',
  'groups',
  'roles',
  'api_keys',
  'documents',
  'revisions',
  'revision_files',
  'authors',
  'events',
  'submissions',
  'submission_checks',
  'state_transitions',
  'comments',
  'comment_versions',
  'last_calls',
  'ballots',
  'ballot_positions',
  'follows',
  'transfer_batches',
  'settings',
];

/** What is only ever added to. */
const APPEND_ONLY = ['audit_log', 'events'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('audit_log', (table) => {
    table.increments('id');
    utc(table, 'at').notNullable();
    table.integer('actor_id');
    table.string('deployment_id', 100);
    table.string('request_id', 100);
    table.string('table_name', 40).notNullable();
    table.string('row_id', 100).notNullable();
    table.string('action', 10).notNullable();
    table.text('old');
    table.text('new');
    table.index(['table_name', 'row_id']);
    table.check(oneOf('action', ['insert', 'update', 'delete']), [], 'audit_log_action');
  });
  await knex.schema.createTable('audit_context', (table) => {
    table.integer('id').primary();
    table.integer('actor_id');
    table.string('deployment_id', 100);
    table.string('request_id', 100);
    table.check('id = 1', [], 'audit_context_one_row');
  });
  await knex('audit_context').insert({ id: 1 });
  for (const table of APPEND_ONLY) await appendOnly(knex, table);
  for (const table of AUDITED) await auditTable(knex, table);
}

export async function down(knex: Knex): Promise<void> {
  for (const table of AUDITED) await unauditTable(knex, table);
  for (const table of APPEND_ONLY) {
    for (const suffix of ['update', 'delete', 'replace'])
      await knex.raw(`DROP TRIGGER ${table}_no_${suffix}`);
  }
  await knex.schema.dropTable('audit_context');
  await knex.schema.dropTable('audit_log');
}

async function appendOnly(knex: Knex, table: string): Promise<void> {
  for (const action of ['update', 'delete']) {
    await knex.raw(`CREATE TRIGGER ${table}_no_${action} BEFORE ${action.toUpperCase()} ON ${table} BEGIN
      SELECT RAISE(ABORT, '${table} is append-only');
    END`);
  }
  // INSERT OR REPLACE would delete without a trigger
  await knex.raw(`CREATE TRIGGER ${table}_no_replace BEFORE INSERT ON ${table} BEGIN
    SELECT RAISE(ABORT, '${table} is append-only') FROM ${table} WHERE id = NEW.id;
  END`);
}
