import type { Knex } from 'knex';
import type { Environment } from '../../environments/schema.ts';
import type { DeploymentRow } from '../deployment/record.ts';
import { clearFiles } from '../deployment/rehearsal/files.ts';
import { undoable } from '../deployment/restore.ts';
import type { Tools } from '../deployment/work.ts';
import { oneLine } from '../problem.ts';
import type { EnvironmentRow } from '../reconcile/reconciler.ts';
import { pruneBackupsOf } from './backups.ts';

/** How many earlier releases of an environment stay on disk, so that going back builds nothing. */
const KEPT_RELEASES = 5;
/** How many that were only rehearsed: when a pull request is merged, its tree is built already. */
const KEPT_REHEARSED = 3;
const UNFINISHED = ['waiting', 'running', 'switching', 'live', 'reverting'] as const;

/** What nothing needs any more: generations, releases and backups. A failure here is no failure of the deployment. */
export async function prune(tools: Omit<Tools, 'prune'>, state: Knex, config: Environment): Promise<void> {
  try {
    const live = await tools.journal.liveOf(config.name);
    const generations = tools.generations(config);
    if (generations && live?.generation) {
      const kept = await undoable(tools.journal, live);
      await generations.sweep(new Set([live.generation, ...kept]));
    }
    await pruneReleases(tools, state);
    await pruneBackupsOf(tools, config);
  } catch (error) {
    tools.logger.warn(
      { environment: config.name, error: oneLine(error) },
      'not everything old could be removed',
    );
  }
}

/** The releases that nothing needs any more. */
export async function pruneReleases(
  { journal, releases }: Pick<Tools, 'journal' | 'releases'>,
  state: Knex,
): Promise<void> {
  const newest = () => state<DeploymentRow>('deployments').whereNotNull('tree').orderBy('seq', 'desc');
  const environments = await state<EnvironmentRow>('environments');
  const kept = await Promise.all([
    ...environments.map(({ name }) =>
      newest().where({ environment: name }).whereNotNull('live_at').limit(KEPT_RELEASES).select('tree'),
    ),
    newest().whereRaw("kind = 'rehearsal'").limit(KEPT_REHEARSED).select('tree'),
    journal.inPhases(UNFINISHED),
  ]);
  await releases.prune(new Set(kept.flat().flatMap(({ tree }) => tree ?? [])));
}

/** What a rehearsal left whose daemon died: copies of data and files. Nothing may be under way yet. */
export async function clearRehearsals(tools: Pick<Tools, 'home' | 'journal' | 'generations'>): Promise<void> {
  const unfinished = await tools.journal.inPhases(UNFINISHED);
  for (const { environment, config } of await tools.journal.rehearsals(['running'])) {
    const live = await tools.journal.liveOf(environment);
    const present = live?.config ?? config;
    const generations = present && tools.generations(present);
    const kept = [
      live?.generation,
      ...(live ? await undoable(tools.journal, live) : []),
      ...unfinished.map((record) => record.environment === environment && record.generation),
    ];
    await generations?.sweep(new Set(kept.filter((id) => typeof id === 'string')));
  }
  await clearFiles(tools.home);
}
