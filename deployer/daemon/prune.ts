import type { Knex } from 'knex';
import type { Environment } from '../../environments/schema.ts';
import { undoable } from '../deployment/restore.ts';
import type { Tools } from '../deployment/work.ts';
import { oneLine } from '../problem.ts';
import type { EnvironmentRow } from '../reconcile/reconciler.ts';
import { pruneBackupsOf } from './backups.ts';

/** How many earlier releases of an environment stay on disk, so that going back builds nothing. */
const KEPT_RELEASES = 5;

/** What nothing needs any more: generations, releases and backups. A failure here is no failure of the deployment. */
export async function prune(tools: Omit<Tools, 'prune'>, state: Knex, config: Environment): Promise<void> {
  try {
    const live = await tools.journal.liveOf(config.name);
    const generations = tools.generations(config);
    if (generations && live?.generation) {
      const kept = await undoable(tools.journal, live);
      await generations.sweep(new Set([live.generation, ...kept]));
    }
    const keep = new Set<string>();
    const environments = await state<EnvironmentRow>('environments');
    for (const { name } of environments) {
      const trees: { tree: string | null }[] = await state('deployments')
        .where({ environment: name })
        .whereNotNull('live_at')
        .orderBy('seq', 'desc')
        .limit(KEPT_RELEASES)
        .select('tree');
      for (const { tree } of trees) if (tree) keep.add(tree);
    }
    for (const { tree } of await tools.journal.inPhases([
      'waiting',
      'running',
      'switching',
      'live',
      'reverting',
    ]))
      if (tree) keep.add(tree);
    await tools.releases.prune(keep);
    await pruneBackupsOf(tools.home, config, tools.clock());
  } catch (error) {
    tools.logger.warn(
      { environment: config.name, error: oneLine(error) },
      'not everything old could be removed',
    );
  }
}
