import type { Knex } from 'knex';
import { dropTables, oneOf, reference, uniqueWhile, utc } from './parts/columns.ts';

export const touches = ['users', 'groups', 'roles', 'sessions', 'api_keys'];

const ROLES = ['reader', 'author', 'member', 'chair', 'approver', 'administrator'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('users', (table) => {
    table.increments('id');
    table.string('email', 254).notNullable().unique();
    table.string('name', 100).notNullable();
    table.string('affiliation', 100).notNullable().defaultTo('');
    table.text('biography').notNullable().defaultTo('');
    table.string('password_hash').notNullable();
    table.string('totp_secret');
    utc(table, 'created_at').notNullable();
    utc(table, 'disabled_at');
  });
  await knex.schema.createTable('groups', (table) => {
    table.increments('id');
    table.string('acronym', 20).notNullable().unique();
    table.string('name', 100).notNullable();
    table.text('charter').notNullable().defaultTo('');
    table.string('state', 20).notNullable().defaultTo('active');
    utc(table, 'created_at').notNullable();
    table.check(oneOf('state', ['active', 'concluded']), [], 'groups_state');
  });
  await knex.schema.createTable('roles', (table) => {
    table.increments('id');
    reference(table, 'user_id', 'users').notNullable();
    table.string('role', 20).notNullable();
    reference(table, 'group_id', 'groups').index();
    utc(table, 'created_at').notNullable();
    table.check(oneOf('role', ROLES), [], 'roles_role');
  });
  await uniqueWhile(knex, 'roles_everywhere', 'roles', ['user_id', 'role'], 'group_id IS NULL');
  await uniqueWhile(knex, 'roles_in_group', 'roles', ['user_id', 'role', 'group_id'], 'group_id IS NOT NULL');
  await knex.schema.createTable('sessions', (table) => {
    table.string('id', 64).primary();
    reference(table, 'user_id', 'users').notNullable().index();
    utc(table, 'created_at').notNullable();
    utc(table, 'expires_at').notNullable();
    utc(table, 'second_factor_at');
  });
  await knex.schema.createTable('api_keys', (table) => {
    table.increments('id');
    reference(table, 'user_id', 'users').notNullable().index();
    table.string('name', 100).notNullable();
    table.string('prefix', 16).notNullable().unique();
    table.string('key_sha256', 64).notNullable().unique();
    table.text('scopes').notNullable();
    utc(table, 'created_at').notNullable();
    utc(table, 'expires_at');
    utc(table, 'last_used_at');
    utc(table, 'revoked_at');
  });
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, touches);
}
