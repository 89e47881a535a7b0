/**
 * A migration of the datatracker that takes so many milliseconds, as a shell line that writes it. It takes them where there is
 * data, not whenever a verification makes a database of its own: every later deployment would, too.
 */
export const migration = (name: string, milliseconds: number): string =>
  `cat > migrations/datatracker/${name}.ts <<'END'
import type { Knex } from 'knex';
import { setTimeout } from 'node:timers/promises';
export const touches = ['documents'];
export async function up(knex: Knex): Promise<void> {
  const { filename } = knex.client.config.connection;
  if (filename.startsWith('/var/lib/deployer/')) await setTimeout(${milliseconds});
  await knex.schema.alterTable('documents', (table) => void table.index(['title'], '${name}'));
}
export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('documents', (table) => void table.dropIndex(['title'], '${name}'));
}
END`;
