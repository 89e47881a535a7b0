/** A migration of the datatracker that takes so many milliseconds, as a shell line that writes it. */
export const migration = (name: string, milliseconds: number): string =>
  `cat > migrations/datatracker/${name}.ts <<'END'
import type { Knex } from 'knex';
import { setTimeout } from 'node:timers/promises';
export const touches = ['documents'];
export async function up(knex: Knex): Promise<void> {
  await setTimeout(${milliseconds});
  await knex.schema.alterTable('documents', (table) => void table.index(['title'], '${name}'));
}
export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('documents', (table) => void table.dropIndex(['title'], '${name}'));
}
END`;
