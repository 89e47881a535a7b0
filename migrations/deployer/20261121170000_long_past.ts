import type { Knex } from 'knex';

/** By which each question about deployments looks at a few rows, however many there have been. */
const INDEXES = {
  deployments: [
    ['environment', 'commit'],
    ['environment', 'tag'],
    ['environment', 'outcome', 'seq'],
    ['environment', 'requested_by', 'seq'],
    ['outcome', 'seq'],
  ],
  audit: [['environment', 'action', 'id']],
  outbox: [['created_at']],
  events: [['received_at']],
} as const;

/** Those of which there are few among many; a question has to say `where` with these very words, or they do not help it. */
const FEW = {
  deployments_unfinished: "deployments (environment, seq) WHERE phase <> 'finished'",
  deployments_unfinished_anywhere: "deployments (seq) WHERE phase <> 'finished'",
  deployments_rehearsals: "deployments (seq) WHERE kind = 'rehearsal'",
  deployments_restores: "deployments (environment, seq) WHERE kind = 'restore'",
  deployments_tagged: 'deployments (seq) WHERE tag IS NOT NULL',
};

export async function up(knex: Knex): Promise<void> {
  for (const [name, indexes] of Object.entries(INDEXES)) {
    await knex.schema.alterTable(name, (table) => {
      for (const columns of indexes) table.index([...columns]);
    });
  }
  for (const [name, rows] of Object.entries(FEW)) await knex.raw(`CREATE INDEX ${name} ON ${rows}`);
}

export async function down(knex: Knex): Promise<void> {
  for (const name of Object.keys(FEW)) await knex.raw(`DROP INDEX ${name}`);
  for (const [name, indexes] of Object.entries(INDEXES)) {
    await knex.schema.alterTable(name, (table) => {
      for (const columns of indexes) table.dropIndex([...columns]);
    });
  }
}
