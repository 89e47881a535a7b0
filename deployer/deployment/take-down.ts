import type { Generation } from '../data/types.ts';
import { RefusedError } from '../problem.ts';
import type { MigrateReport } from '../operations.ts';
import { migrate, type ReleaseContext } from './programs.ts';
import { changesBy, rowsLost } from './row-changes.ts';
import type { Tools } from './work.ts';

export const RESTORE_INSTEAD =
  '--restore-backup returns to the backup from before and drops what changed since';

export const hasNoDown = (migration: string) =>
  `its rehearsal has seen that ${migration} has no down that restores all`;

/**
 * Takes migrations back on a copy of what is live, whatever a rehearsal said of them: that had other rows.
 * @throws RefusedError when more rows are gone then than their `up` had added
 */
export async function takeDown(
  tools: Tools,
  context: ReleaseContext,
  { copy, to }: { copy: Generation; to: string },
): Promise<MigrateReport> {
  const generations = tools.generations(context.config);
  if (!generations) throw new Error('there is no database to take back');
  const now = await generations.rows(copy);
  const report = await migrate(tools, context, copy, ['down', '--to', to]);
  const names = report.ran.map(({ name }) => name);
  const changes = changesBy(await tools.journal.ranLive(context.config.name, names));
  const lost = rowsLost(now, await generations.rows(copy), changes);
  if (lost) throw new RefusedError(`${wouldLose(names, lost)}; ${RESTORE_INSTEAD}`);
  return report;
}

function wouldLose(names: readonly string[], { rows, tables }: { rows: number; tables: string[] }): string {
  const count = `${rows} ${rows === 1 ? 'row' : 'rows'}`;
  return `the migrations cannot be taken back: the down of ${names.join(', ')} would lose ${count} of ${tables.join(', ')}`;
}
