import type { Knex } from 'knex';

/** The last lines of the instance of a deployment that failed. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('deployments', (table) => {
    table.text('log_tail');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('deployments', (table) => {
    table.dropColumn('log_tail');
  });
}
