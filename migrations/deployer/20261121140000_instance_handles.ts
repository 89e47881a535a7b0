import type { Knex } from 'knex';

interface Row {
  environment: string;
  slot: string;
}

/** An instance is a process or a systemd unit: its handle becomes one JSON value. */
export async function up(knex: Knex): Promise<void> {
  const rows = await knex<Row & { pid: number; start_time: string }>('instances');
  await knex.schema.alterTable('instances', (table) => {
    table.text('handle').notNullable().defaultTo('{}');
  });
  for (const { environment, slot, pid, start_time: startTime } of rows) {
    const handle = JSON.stringify({ pid, startTime });
    await knex('instances').where({ environment, slot }).update({ handle });
  }
  await knex.schema.alterTable('instances', (table) => table.dropColumns('pid', 'start_time'));
}

/** Units are not known to an earlier deployer: it starts anew what it does not find. */
export async function down(knex: Knex): Promise<void> {
  const rows = await knex<Row & { handle: string }>('instances');
  await knex.schema.alterTable('instances', (table) => {
    table.integer('pid').notNullable().defaultTo(0);
    table.string('start_time', 30).notNullable().defaultTo('');
  });
  for (const { environment, slot, handle } of rows) {
    const { pid, startTime } = JSON.parse(handle) as { pid?: number; startTime?: string };
    if (pid === undefined || startTime === undefined)
      await knex('instances').where({ environment, slot }).delete();
    else await knex('instances').where({ environment, slot }).update({ pid, start_time: startTime });
  }
  await knex.schema.alterTable('instances', (table) => table.dropColumn('handle'));
}
