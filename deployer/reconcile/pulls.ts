import type { Knex } from 'knex';
import type { Logger } from 'pino';
import { gateOn } from '../deployment/gate.ts';
import type { Journal } from '../deployment/journal.ts';
import type { DeploymentRecord } from '../deployment/record.ts';
import { saysGateIsClosed } from '../deployment/rehearsal/promotion.ts';
import type { Rehearser } from '../deployment/rehearser.ts';
import type { Policy } from '../deployment/work.ts';
import type { Forge, Pull } from '../forge/types.ts';
import { oneLine } from '../problem.ts';
import type { Mirror } from '../release/types.ts';
import { decidePull, type Merge } from './decide-pull.ts';
import { folded } from './folded.ts';
import type { EnvironmentRow } from './reconciler.ts';

const UNFINISHED = ['waiting', 'running'] as const;

/** A pull request into the branch of an environment. */
interface Wanted {
  environment: string;
  pull: Pull;
}

/**
 * Keeps one rehearsal for each open pull request from a branch of the repository into an environment's branch:
 * renewed when what would be merged changes, ended when the pull request is closed or goes elsewhere.
 */
export function createPulls(options: {
  state: Knex;
  forge: Pick<Forge, 'pulls'>;
  mirror: Pick<Mirror, 'fetch' | 'resolve' | 'mergeTree' | 'read'>;
  journal: Journal;
  policy: Pick<Policy, 'gate'>;
  rehearser: Pick<Rehearser, 'kick' | 'cancel'>;
  logger: Logger;
}) {
  const { state, forge, mirror, journal, policy, rehearser, logger } = options;
  let problems: string[] = [];
  const stopped = Promise.withResolvers<null>();
  let isStopped = false;

  async function lookNow(): Promise<void> {
    const pulls = await Promise.race([forge.pulls(), stopped.promise]);
    if (pulls === null) return;
    problems = [];
    if (!(await areFetched(pulls))) await mirror.fetch();
    const environments = await state<EnvironmentRow>('environments');
    const wanted = pulls.flatMap((pull) =>
      environments
        .filter(({ branch }) => branch === pull.base)
        .map(({ name }): Wanted => ({ environment: name, pull })),
    );
    await endUnwanted(wanted);
    for (const each of wanted) {
      await consider(each).catch((error: unknown) => {
        problems.push(`#${each.pull.number} could not be looked at: ${oneLine(error)}`);
        logger.error({ pull: each.pull.number, err: error }, 'a pull request could not be looked at');
      });
    }
    rehearser.kick();
  }

  async function areFetched(pulls: readonly Pull[]): Promise<boolean> {
    const heads = await Promise.all(pulls.map(({ head }) => mirror.resolve({ branch: head })));
    return pulls.every(({ commit }, index) => heads[index]?.commit === commit);
  }

  async function endUnwanted(wanted: readonly Wanted[]): Promise<void> {
    for (const { id, environment, request } of await journal.rehearsals(UNFINISHED)) {
      const number = request.pull?.number;
      const isWanted = wanted.some((one) => one.environment === environment && one.pull.number === number);
      if (number === undefined || isWanted) continue;
      await rehearser.cancel(id, `#${number} was closed, merged or is to go into another branch`);
    }
  }

  async function consider({ environment, pull }: Wanted): Promise<void> {
    const now = await mergeOf(pull);
    if (!now) return;
    const requestedBy = `pull-request:${pull.number}`;
    const last = await journal.newestRehearsal(environment, requestedBy);
    if (decidePull(now, last, await gateOpened(environment, now, last)) === 'nothing') return;
    // Before the new one is stored: the last word about a commit is that of its newest rehearsal.
    if (last) await rehearser.cancel(last.id, `#${pull.number} or ${pull.base} has changed`);
    const { number, head, base } = pull;
    await journal.accept({
      kind: 'rehearsal',
      environment,
      branch: head,
      ...now,
      requestedBy,
      automatic: true,
      request: { pull: { number, head, base } },
    });
  }

  /** null while what the forge says and what the mirror has differ: a push is under way, and makes us look again. */
  async function mergeOf({ head, commit, base }: Pull): Promise<Merge | null> {
    const ours = await mirror.resolve({ branch: base });
    const theirs = await mirror.resolve({ branch: head });
    if (!ours || theirs?.commit !== commit) return null;
    const merged = await mirror.mergeTree(ours.commit, commit);
    return { commit, tree: 'tree' in merged ? merged.tree : null };
  }

  async function gateOpened(
    environment: string,
    { tree }: Merge,
    last: DeploymentRecord | null,
  ): Promise<boolean> {
    if (!last || tree === null || !saysGateIsClosed(await journal.suitesOf(last.id))) return false;
    return (await gateOn({ mirror, policy }, environment, tree)).state === 'open';
  }

  const looks = folded(async () => {
    if (isStopped) return;
    await lookNow().catch((error: unknown) => {
      problems = [`the pull requests could not be looked at: ${oneLine(error)}`];
      logger.warn({ error: oneLine(error) }, 'the look at the pull requests failed');
    });
  });

  return {
    /** Never rejects. Nobody waits for it: deployments do not depend on it. */
    look: () => looks.call(),
    problems: () => problems,
    async stop(): Promise<void> {
      isStopped = true;
      stopped.resolve(null);
      await looks.idle();
    },
  };
}
