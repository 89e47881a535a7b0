import type { Knex } from 'knex';

/** The deployer's own state: events, deployments and their stages, what is live, and what is still to be told. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('events', (table) => {
    table.increments('id');
    table.string('delivery', 100).notNullable().unique();
    table.string('name', 60).notNullable();
    table.text('payload').notNullable();
    table.string('received_at', 30).notNullable();
  });
  await knex.schema.createTable('deployments', (table) => {
    table.increments('seq');
    table.string('id', 40).notNullable().unique();
    table.string('kind', 20).notNullable();
    table.string('environment', 31).notNullable();
    table.string('branch', 200).notNullable();
    table.string('commit', 64).notNullable();
    table.string('tree', 64);
    table.string('phase', 20).notNullable();
    table.string('outcome', 20);
    table.text('cause');
    table.string('requested_by', 100).notNullable();
    table.string('requested_at', 30).notNullable();
    table.string('started_at', 30);
    table.string('live_at', 30);
    table.string('finished_at', 30);
    table.string('tag', 100);
    table.boolean('automatic').notNullable();
    table.integer('attempts').notNullable().defaultTo(0);
    table.text('request').notNullable();
    table.text('config');
    table.string('slot', 10);
    table.string('generation', 60);
    table.string('previous', 40);
    table.string('replaced', 40);
    table.text('applied');
    table.boolean('proven').notNullable().defaultTo(false);
    table.string('backup', 60);
    table.text('ran');
    table.index(['environment', 'seq']);
    table.index(['environment', 'phase']);
    table.index(['commit']);
    table.index(['environment', 'tree']);
  });
  await knex.schema.createTable('stages', (table) => {
    table.string('deployment_id', 40).notNullable().references('deployments.id').onDelete('CASCADE');
    table.integer('position').notNullable();
    table.string('name', 20).notNullable();
    table.string('state', 10).notNullable();
    table.string('started_at', 30);
    table.integer('duration_ms');
    table.text('cause');
    table.primary(['deployment_id', 'position']);
  });
  await knex.schema.createTable('suites', (table) => {
    table.string('deployment_id', 40).notNullable().references('deployments.id').onDelete('CASCADE');
    table.integer('position').notNullable();
    table.text('report').notNullable();
    table.primary(['deployment_id', 'position']);
  });
  await knex.schema.createTable('environments', (table) => {
    table.string('name', 31).primary();
    table.string('branch', 200).notNullable();
    table.string('handled_head', 64);
    table.string('live_deployment', 40);
    table.text('problem');
  });
  await knex.schema.createTable('instances', (table) => {
    table.string('environment', 31).notNullable();
    table.string('slot', 60).notNullable();
    table.string('deployment_id', 40).notNullable();
    table.integer('pid').notNullable();
    table.string('start_time', 30).notNullable();
    table.primary(['environment', 'slot']);
  });
  await knex.schema.createTable('locks', (table) => {
    table.string('environment', 31).primary();
    table.text('reason').notNullable();
    table.string('holder', 100).notNullable();
    table.string('since', 30).notNullable();
  });
  await knex.schema.createTable('quarantine', (table) => {
    table.string('environment', 31).notNullable();
    table.string('commit', 64).notNullable();
    table.string('deployment_id', 40).notNullable();
    table.string('since', 30).notNullable();
    table.primary(['environment', 'commit']);
  });
  await knex.schema.createTable('outbox', (table) => {
    table.increments('id');
    table.string('lane', 200).notNullable();
    table.text('report').notNullable();
    table.string('created_at', 30).notNullable();
    table.integer('attempts').notNullable().defaultTo(0);
    table.string('next_at', 30).notNullable();
    table.string('delivered_at', 30);
    table.text('error');
    table.boolean('abandoned').notNullable().defaultTo(false);
    table.index(['delivered_at', 'abandoned', 'id']);
  });
  await knex.schema.createTable('audit', (table) => {
    table.increments('id');
    table.string('at', 30).notNullable();
    table.string('actor', 100).notNullable();
    table.string('action', 40).notNullable();
    table.string('environment', 31);
    table.string('deployment_id', 40);
    table.text('detail').notNullable();
    table.index(['environment', 'id']);
  });
  for (const statement of appendOnly(knex.client.config.client)) await knex.raw(statement);
}

/** Nobody changes or removes an entry of the audit trail, the deployer itself included. */
function appendOnly(client: unknown): string[] {
  if (client === 'pg') {
    return [
      `CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql
       AS $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$`,
      'CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()',
    ];
  }
  return ['UPDATE', 'DELETE'].map(
    (action) =>
      `CREATE TRIGGER audit_no_${action.toLowerCase()} BEFORE ${action} ON audit
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END`,
  );
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'audit',
    'outbox',
    'quarantine',
    'locks',
    'instances',
    'environments',
    'suites',
    'stages',
    'deployments',
    'events',
  ]) {
    await knex.schema.dropTable(table);
  }
  if (knex.client.config.client === 'pg') await knex.raw('DROP FUNCTION audit_is_append_only()');
}
