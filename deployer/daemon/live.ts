import type { Knex } from 'knex';
import { healthOf, socketPath } from '../deployment/instance.ts';
import { liveFrom } from '../deployment/prepare.ts';
import { contextOfLive } from '../deployment/migration.ts';
import type { ReleaseContext } from '../deployment/programs.ts';
import type { Live, Tools } from '../deployment/work.ts';
import { RefusedError, UsageError } from '../problem.ts';
import type { Commit } from '../release/types.ts';
import type { EnvironmentRow } from '../reconcile/reconciler.ts';

/** Milliseconds within which a release that serves answers. */
const ANSWER_MS = 5000;

export type LookUp = ReturnType<typeof lookUp>;

/** Environments by name, what is live in them, and that release as its own programs see it. */
export function lookUp(state: Knex, tools: Tools) {
  const names = async () =>
    (await state<EnvironmentRow>('environments').orderBy('name')).map(({ name }) => name);

  /** @throws UsageError that names those there are */
  async function known(name: string): Promise<EnvironmentRow> {
    const row = await state<EnvironmentRow>('environments').where({ name }).first();
    if (row) return row;
    const all = await names();
    throw new UsageError(
      `there is no environment ${name}; ${all.length > 0 ? `there are ${all.join(', ')}` : 'no branch holds one yet'}`,
    );
  }

  /** Also one that was removed: its past is told on. @throws UsageError */
  async function remembered(name: string): Promise<void> {
    const past: unknown = await state('deployments').where({ environment: name }).first('id');
    if (past === undefined) await known(name);
  }

  async function liveOrNull(name: string): Promise<Live | null> {
    const record = await tools.journal.liveOf(name);
    return record && liveFrom(tools, record);
  }

  /** @throws UsageError, RefusedError when nothing is live there yet */
  async function live(name: string): Promise<Live> {
    await known(name);
    const found = await liveOrNull(name);
    if (!found) throw new RefusedError(`nothing is live in ${name} yet`);
    return found;
  }

  /** Where the environment's branch is now. */
  async function headOf({ branch }: EnvironmentRow): Promise<Commit> {
    await tools.mirror.fetch();
    const head = await tools.mirror.resolve({ branch });
    if (!head) throw new UsageError(`there is no branch ${branch} on ${tools.forge.name}`);
    return head;
  }

  const contextOf = (found: Live, signal: AbortSignal): Promise<ReleaseContext> =>
    contextOfLive(tools, found, {
      signal,
      log: (line) => tools.logger.info({ environment: found.config.name }, line),
    });

  /** The environments whose live release answers. */
  async function serving(): Promise<string[]> {
    const answering = await Promise.all(
      (await names()).map(async (name) => {
        const found = await liveOrNull(name);
        if (!found) return [];
        const { status } = await healthOf(socketPath(tools, name, found.slot), ANSWER_MS);
        return status === 200 ? [name] : [];
      }),
    );
    return answering.flat();
  }

  return {
    serving,
    names,
    known,
    remembered,
    live,
    liveOrNull,
    headOf,
    contextOf,
  };
}
