import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type { Conductor } from '../deployment/conductor.ts';
import type { Journal } from '../deployment/journal.ts';
import type { DeploymentRow } from '../deployment/record.ts';
import type { Gate, Policy } from '../deployment/work.ts';
import { oneLine } from '../problem.ts';
import type { Mirror } from '../release/types.ts';
import { decide } from './decide.ts';
import { discover, type Wanted } from './environments.ts';
import { folded } from './folded.ts';

export interface EnvironmentRow {
  name: string;
  branch: string;
  handled_head: string | null;
  live_deployment: string | null;
}

export type Reconciler = ReturnType<typeof createReconciler>;

/**
 * Compares what the branches want with what was handled, and stores at most one wanted deployment for each environment.
 * A webhook only makes it look at once; the look at the interval is the guarantee.
 */
export function createReconciler(options: {
  state: Knex;
  mirror: Mirror;
  journal: Journal;
  policy: Policy;
  conductor: Pick<Conductor, 'kick'>;
  /** An environment was found (again): its front door has to stand. */
  onEnvironment: (wanted: Wanted) => Promise<void>;
  /** What this host says wrongly, so that every deployment of the environment is refused; null: nothing. */
  obstacle: (environment: string) => string | null;
  /** After each look: branches may have moved. */
  onLooked?: () => void;
  intervalMs: number;
  /** Where the forge tells of branches by itself. */
  watchBranches?: (changed: () => void) => (() => void) | undefined;
  logger: Logger;
}) {
  const { state, mirror, journal, policy, conductor, logger } = options;
  let problems: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let unwatch: (() => void) | undefined;
  let stopped = false;
  /** Environments whose verification opens the gate of another. */
  let required = new Set<string>();

  const environments = () => state<EnvironmentRow>('environments');

  async function lookNow(): Promise<void> {
    await mirror.fetch();
    const known = new Map((await environments()).map(({ name, branch }) => [name, branch]));
    const found = await discover(mirror, known);
    problems = found.problems;
    required = new Set(found.wanted.flatMap(({ config }) => config?.requires ?? []));
    for (const wanted of found.wanted) {
      if (known.get(wanted.name) !== wanted.branch) await note(wanted);
      try {
        await options.onEnvironment(wanted);
        await consider(wanted);
      } catch (error) {
        problems.push(`${wanted.name}: ${oneLine(error)}`);
        logger.error({ environment: wanted.name, err: error }, 'the environment could not be looked at');
      }
    }
  }

  const note = ({ name, branch }: Wanted) =>
    environments().insert({ name, branch }).onConflict('name').merge(['branch']);

  async function consider({ name, branch, head, config }: Wanted): Promise<void> {
    const commit = await mirror.resolve({ commit: head });
    if (!commit) return;
    const row = await environments().where({ name }).first();
    // A promotion merged, fetched and was stored since this look listed the branches: the next one sees it whole.
    const present = await mirror.resolve({ branch });
    if (present && present.commit !== head) return void look();
    const gate: Gate =
      config?.requires === undefined ? { state: 'open' } : await policy.gate(config.requires, commit.tree);
    const last = await state<DeploymentRow>('deployments')
      .where({ environment: name, commit: head, kind: 'deploy' })
      .orderBy('seq', 'desc')
      .first();
    const obstacle = options.obstacle(name);
    if (obstacle !== null) problems.push(`${name}: ${obstacle}`);
    const decision = decide({
      head,
      handled: row?.handled_head ?? null,
      quarantined: (await policy.quarantined(name, head)) !== null,
      outcome: last?.outcome ?? null,
      gate: gate.state,
      obstructed: obstacle !== null,
    });
    if (decision === 'deploy') {
      await journal.accept(
        {
          kind: 'deploy',
          environment: name,
          branch,
          commit: head,
          tree: commit.tree,
          requestedBy: 'push',
          automatic: true,
          request: {},
          config,
        },
        async (trx) =>
          void (await trx<EnvironmentRow>('environments').where({ name }).update({ handled_head: head })),
      );
    }
    await conductor.kick(name);
  }

  /** Looks; a call during a look makes one more follow it. Never rejects: a failed look is a problem to show, and is made again. */
  const looks = folded(async () => {
    if (stopped) return;
    await lookNow().catch((error: unknown) => {
      problems = [`the branches could not be looked at: ${oneLine(error)}`];
      logger.warn({ error: oneLine(error) }, 'the look at the branches failed');
    });
    options.onLooked?.();
  });
  const look = () => looks.call();

  /** What waits at a gate is looked at as soon as the verdict is there. */
  async function afterChange(id: string): Promise<void> {
    const { environment, phase } = await journal.get(id);
    if (phase === 'finished' && required.has(environment)) await look();
  }
  const unsubscribe = journal.onChange((id) => {
    if (required.size > 0)
      afterChange(id).catch((error: unknown) =>
        logger.warn({ error: oneLine(error) }, 'a verdict could not be looked at'),
      );
  });

  return {
    look,
    /** What the last look could not make sense of. */
    problems: () => problems,
    start(): void {
      timer = setInterval(() => void look(), options.intervalMs);
      unwatch = options.watchBranches?.(() => void look());
    },
    async stop(): Promise<void> {
      stopped = true;
      unsubscribe();
      unwatch?.();
      clearInterval(timer);
      await looks.idle();
    },
  };
}
