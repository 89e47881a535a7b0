import type { Knex } from 'knex';
import { dropTables, oneOf, reference, uniqueWhile, utc } from './parts/columns.ts';

export const touches = ['submissions', 'submission_checks', 'state_transitions'];

const STATES = ['checked', 'submitted', 'approved', 'returned', 'superseded', 'cancelled'];

/** Subject, state before, state after, roles of which one is needed. "author" is one of that document. */
const TRANSITIONS: [string, string, string, string[]][] = [
  ['document', 'active', 'last-call', ['chair', 'approver']],
  ['document', 'last-call', 'active', ['chair', 'approver']],
  ['document', 'active', 'approved', ['approver']],
  ['document', 'last-call', 'approved', ['approver']],
  ['document', 'approved', 'published', ['administrator']],
  ['document', 'active', 'withdrawn', ['author', 'chair', 'administrator']],
  ['document', 'last-call', 'withdrawn', ['author', 'chair', 'administrator']],
  ['document', 'approved', 'withdrawn', ['administrator']],
  ['document', 'active', 'expired', ['chair', 'administrator']],
  ['document', 'expired', 'active', ['author', 'chair', 'administrator']],
  ['document', 'withdrawn', 'active', ['administrator']],
  ['submission', 'checked', 'submitted', ['author']],
  ['submission', 'checked', 'cancelled', ['author']],
  ['submission', 'submitted', 'approved', ['approver']],
  ['submission', 'submitted', 'returned', ['approver']],
  ['submission', 'submitted', 'superseded', ['author']],
];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('submissions', (table) => {
    table.increments('id');
    table.string('name', 50).notNullable();
    table.string('rev', 2).notNullable();
    table.string('title', 200).notNullable();
    table.text('abstract').notNullable();
    table.text('authors').notNullable();
    table.string('format', 4).notNullable();
    table.integer('bytes').notNullable();
    table.string('storage_key', 80).notNullable();
    table.string('state', 20).notNullable();
    table.text('note').notNullable().defaultTo('');
    reference(table, 'group_id', 'groups');
    reference(table, 'doc_id', 'documents').index();
    reference(table, 'submitter_id', 'users').notNullable().index();
    reference(table, 'decided_by', 'users');
    utc(table, 'created_at').notNullable();
    utc(table, 'decided_at');
    table.check(oneOf('state', STATES), [], 'submissions_state');
    table.check(oneOf('format', ['txt', 'md', 'xml', 'pdf']), [], 'submissions_format');
  });
  await uniqueWhile(
    knex,
    'submissions_open',
    'submissions',
    ['name', 'rev'],
    oneOf('state', ['checked', 'submitted']),
  );
  await knex.schema.createTable('submission_checks', (table) => {
    table.increments('id');
    reference(table, 'submission_id', 'submissions').notNullable().index();
    table.string('severity', 10).notNullable();
    table.integer('line');
    table.text('message').notNullable();
    table.check(oneOf('severity', ['error', 'warning', 'notice']), [], 'submission_checks_severity');
  });
  await knex.schema.createTable('state_transitions', (table) => {
    table.increments('id');
    table.string('subject', 20).notNullable();
    table.string('from_state', 20).notNullable();
    table.string('to_state', 20).notNullable();
    table.string('role', 20).notNullable();
    table.unique(['subject', 'from_state', 'to_state', 'role']);
  });
  await knex('state_transitions').insert(
    TRANSITIONS.flatMap(([subject, from_state, to_state, roles]) =>
      roles.map((role) => ({ subject, from_state, to_state, role })),
    ),
  );
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, touches);
}
