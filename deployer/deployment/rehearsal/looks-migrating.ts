import type { Live, Work } from '../work.ts';

/** What paths of migrations have in common: Knex, Rails, Django, Flyway, Prisma, goose; Alembic; Liquibase. */
const LIKELY = /migrat|alembic|changelog/i;

/**
 * Whether the tree looks as if it brought migrations since what is live. Only a hint, for the order in which things are
 * tried: the release's own program has the word, and a wrong guess costs the time of a start.
 */
export async function looksMigrating({ tools, config, target }: Work, live: Live): Promise<boolean> {
  if (!config.commands.migrate || live.record.tree === null) return false;
  const changed = await tools.mirror.changed(live.record.tree, target.tree);
  return changed.some((path) => LIKELY.test(path) && !/(^|\/)changelog(\.(md|txt|rst))?$/i.test(path));
}
