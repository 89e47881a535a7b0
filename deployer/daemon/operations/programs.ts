import { migrate, verify } from '../../deployment/programs.ts';
import { onCopy } from '../../data/on-copy.ts';
import type { Generation, Generations } from '../../data/types.ts';
import type { Suite } from '../../deployment/model.ts';
import { VERIFICATION, withChange } from '../../deployment/untouched.ts';
import type { RanMigration } from '../../deployment/row-changes.ts';
import type { Environment } from '../../../environments/schema.ts';
import type { Operations } from '../../operations.ts';
import { RefusedError, UsageError } from '../../problem.ts';
import { contextOfHead } from '../head.ts';
import type { Parts } from './parts.ts';

/** What a release's own programs say of what is live. */
export function programs(parts: Parts, deployment: Operations['deployment']) {
  const { tools } = parts;
  const { journal } = tools;
  const { known, live, headOf, contextOf } = parts.lookUp;

  return {
    async verify(name, suites) {
      const present = await live(name);
      demandSuites(present.config, suites);
      const context = await contextOf(present, AbortSignal.timeout(present.config.verify.timeout + 60_000));
      // A rollback may have made an earlier instance live again: it still says the deployment that started it.
      const instance = await tools.instances.get(name, present.slot);
      if (instance) context.deployment.id = instance.deployment;
      const asked = suites.length > 0 ? suites : (present.config.verify.suites ?? []);
      const judge = (generation: Generation | null) =>
        verify(tools, context, {
          instance: { environment: name, slot: present.slot },
          generation,
          suites: asked,
        });
      const generations = tools.generations(present.config);
      const found =
        generations && present.generation
          ? await onCopy(generations, present.generation, (copy) =>
              judgeUnchanged(generations, copy, () => judge(copy)),
            )
          : await judge(null);
      return { success: found.every(({ success }) => success), suites: found };
    },

    async migrations(name, rehearsal) {
      const row = await known(name);
      const { generation } = await live(name);
      const head = await headOf(row);
      const context = await contextOfHead(tools, row, head);
      const generations = tools.generations(context.config);
      if (!context.config.commands.migrate || !generation || !generations)
        throw new RefusedError(
          `${name} has no migrations: its file names no commands.migrate or no database`,
        );
      // Nobody has verified that program yet: what it does is not done to live data.
      const report = await onCopy(generations, generation, (copy) =>
        migrate(tools, context, copy, ['status']),
      );
      if (rehearsal === undefined) return report;
      await deployment(rehearsal);
      return { ...report, ran: (await journal.get(rehearsal)).ran.map(asReported) };
    },
  } satisfies Partial<Operations>;
}

/** Nobody but the verification works on the copy: whatever differs after it was written by it. */
async function judgeUnchanged(
  generations: Generations,
  copy: Generation,
  judge: () => Promise<Suite[]>,
): Promise<Suite[]> {
  const watch = await generations.watch(copy);
  try {
    const suites = await judge();
    const changed = await watch.changed();
    return changed.length === 0 ? suites : withChange(suites, changed, VERIFICATION);
  } finally {
    await watch.end();
  }
}

/** What became of the rows is our own note. */
const asReported = ({ name, durationMs, touches, reversible }: RanMigration) => ({
  name,
  durationMs,
  touches,
  reversible,
});

function demandSuites({ name, commands, verify: { suites } }: Environment, asked: readonly string[]): void {
  const known = commands.verify === undefined ? ['service'] : suites;
  const unknown = known && asked.find((suite) => !known.includes(suite));
  if (known && unknown !== undefined)
    throw new UsageError(`${name} has no suite ${unknown}; it has ${known.join(', ')}`);
}
