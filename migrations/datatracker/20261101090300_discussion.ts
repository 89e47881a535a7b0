import type { Knex } from 'knex';
import { dropTables, oneOf, reference, uniqueWhile, utc } from './parts/columns.ts';

export const touches = [
  'comments',
  'comment_versions',
  'last_calls',
  'ballots',
  'ballot_positions',
  'follows',
  'outbox',
];

const POSITIONS = ['yes', 'no-objection', 'discuss', 'abstain', 'recuse'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('comments', (table) => {
    table.increments('id');
    reference(table, 'doc_id', 'documents').notNullable();
    table.integer('parent_id');
    reference(table, 'root_id', 'comments').index();
    table.integer('depth').notNullable().defaultTo(0);
    reference(table, 'author_id', 'users').notNullable().index();
    table.text('body').notNullable();
    utc(table, 'created_at').notNullable();
    utc(table, 'edited_at');
    utc(table, 'deleted_at');
    reference(table, 'deleted_by', 'users');
    table.unique(['id', 'doc_id']);
    table.index(['doc_id', 'parent_id', 'id']);
    table.foreign(['parent_id', 'doc_id']).references(['id', 'doc_id']).inTable('comments');
    table.check('length(body) BETWEEN 1 AND 10000', [], 'comments_body');
    table.check('(parent_id IS NULL) = (root_id IS NULL)', [], 'comments_thread');
    table.check('(parent_id IS NULL) = (depth = 0)', [], 'comments_depth');
  });
  await knex.schema.createTable('comment_versions', (table) => {
    table.increments('id');
    reference(table, 'comment_id', 'comments').notNullable().index();
    table.text('body').notNullable();
    reference(table, 'replaced_by', 'users').notNullable();
    utc(table, 'replaced_at').notNullable();
  });
  await knex.schema.createTable('last_calls', (table) => {
    table.increments('id');
    reference(table, 'doc_id', 'documents').notNullable();
    reference(table, 'opened_by', 'users').notNullable();
    table.text('text').notNullable().defaultTo('');
    utc(table, 'opened_at').notNullable();
    utc(table, 'ends_at').notNullable();
    utc(table, 'closed_at');
    table.check('ends_at > opened_at', [], 'last_calls_ends');
  });
  await uniqueWhile(knex, 'last_calls_open', 'last_calls', ['doc_id'], 'closed_at IS NULL');
  await knex.schema.createTable('ballots', (table) => {
    table.increments('id');
    reference(table, 'doc_id', 'documents').notNullable();
    reference(table, 'opened_by', 'users').notNullable();
    utc(table, 'opened_at').notNullable();
    utc(table, 'closed_at');
  });
  await uniqueWhile(knex, 'ballots_open', 'ballots', ['doc_id'], 'closed_at IS NULL');
  await knex.schema.createTable('ballot_positions', (table) => {
    table.increments('id');
    reference(table, 'ballot_id', 'ballots').notNullable();
    reference(table, 'user_id', 'users').notNullable();
    table.string('position', 20).notNullable();
    table.text('text').notNullable().defaultTo('');
    utc(table, 'created_at').notNullable();
    utc(table, 'superseded_at');
    table.check(oneOf('position', POSITIONS), [], 'ballot_positions_position');
  });
  await uniqueWhile(
    knex,
    'ballot_positions_current',
    'ballot_positions',
    ['ballot_id', 'user_id'],
    'superseded_at IS NULL',
  );
  await knex.schema.createTable('follows', (table) => {
    reference(table, 'user_id', 'users').notNullable();
    reference(table, 'doc_id', 'documents').notNullable().index();
    table.string('level', 20).notNullable();
    utc(table, 'created_at').notNullable();
    table.primary(['user_id', 'doc_id']);
    table.check(oneOf('level', ['all', 'significant', 'major', 'comments', 'none']), [], 'follows_level');
  });
  await knex.schema.createTable('outbox', (table) => {
    table.increments('id');
    reference(table, 'event_id', 'events').notNullable();
    reference(table, 'user_id', 'users').notNullable();
    table.integer('attempts').notNullable().defaultTo(0);
    utc(table, 'next_attempt_at').notNullable();
    utc(table, 'sent_at');
    table.unique(['event_id', 'user_id']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, touches);
}
