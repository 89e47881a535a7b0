import type { Knex } from 'knex';

/** The pull requests that a tagged deployment brought, for its release note. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('deployments', (table) => {
    table.text('pulls');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('deployments', (table) => {
    table.dropColumn('pulls');
  });
}
