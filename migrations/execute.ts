import path from 'node:path';
import type { Knex } from 'knex';
import { MigrationError } from './failure.ts';
import type { Migration } from './tree.ts';

/** One migration that was run to its end; `reversible`: it has a `down`. */
export interface Ran {
  name: string;
  durationMs: number;
  touches: string[];
  reversible: boolean;
}

/** What one migration needs around it. */
export interface Run {
  knex: Knex;
  directory: string;
  /** Throws when the database is not sound after a migration, still inside its transaction. */
  assertSound: (transaction: Knex.Transaction) => Promise<void>;
}

/**
 * Runs one migration and its bookkeeping as one transaction: afterwards it is applied and recorded, or neither.
 * @throws {MigrationError} naming the migration; the database is then as it was before
 */
export async function execute(run: Run, direction: 'up' | 'down', migration: Migration): Promise<Ran> {
  const { name, touches } = migration;
  const file = path.join(run.directory, `${name}.ts`);
  if (direction === 'down' && migration.down === null) {
    throw new MigrationError(name, 'has no "down": it cannot be taken back', file);
  }
  const started = performance.now();
  try {
    await run.knex.transaction(async (transaction) => {
      await transaction.migrate[direction]({
        name,
        migrationSource: sourceOf(migration),
        // It would miss the other files; the plan has compared the whole lists already.
        disableMigrationsListValidation: true,
      });
      await run.assertSound(transaction);
    });
  } catch (error) {
    throw new MigrationError(name, reasonFirst(error), file, { cause: error });
  }
  return {
    name,
    durationMs: Math.round(performance.now() - started),
    touches,
    reversible: migration.down !== null,
  };
}

/** Knex puts the whole statement before the reason; whoever sees only the beginning needs the reason. */
function reasonFirst(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, statement, reason] =
    /^((?:alter|create|delete|drop|insert|select|update|with)\b.*) - (.+)$/is.exec(message) ?? [];
  return statement && reason ? `${reason}, in: ${statement}` : message;
}

/** Knex's migrator loads files itself; ours is loaded and checked already. A missing `down` was refused above. */
function sourceOf({ name, up, down }: Migration): Knex.MigrationSource<string> {
  return {
    getMigrations: async () => [name],
    getMigrationName: (migration) => migration,
    getMigration: async () => ({ up, down: down ?? up }),
  };
}
