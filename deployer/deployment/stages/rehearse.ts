import type { Generation, Generations } from '../../data/types.ts';
import { FailedError, oneLine } from '../../problem.ts';
import { boot, stop } from '../instance.ts';
import { Skipped } from '../journal.ts';
import { applyPlan, contextOf, differing, liveContext, planData, planRollback } from '../migration.ts';
import type { Check, Suite } from '../model.ts';
import { migrate, verify, type ReleaseContext } from '../programs.ts';
import { firstFailure } from '../reports.ts';
import { DeploymentEnded, type Live, type Work } from '../work.ts';

/**
 * Everything that can be known beforehand, on a copy of the live database: the migrations, the whole verification on a
 * private socket, whether anything was changed that nobody asked for, and the way back. The live side never notices.
 */
export async function rehearse(work: Work): Promise<Skipped | void> {
  const { tools, config, live } = work;
  const generations = tools.generations(config);
  if (!generations) return new Skipped('the environment has no database');
  if (!live?.generation) {
    work.plan = { kind: 'create' };
    return new Skipped('there is no data yet to rehearse on');
  }
  if (work.record.kind === 'rollback') {
    work.plan = planRollback(work, live);
    work.rehearsed = true;
    return new Skipped(
      'this release was verified and live before; its way back is verified before the switch',
    );
  }
  const copy = await generations.copy(live.generation);
  try {
    work.plan = await planData(work, copy);
    if (work.plan.kind === 'restore')
      return new Skipped('a backup is restored: its data was verified when it was taken');
    await rehearseOn(work, generations, copy, live);
    work.rehearsed = true;
  } finally {
    await generations.remove(copy);
  }
}

async function rehearseOn(work: Work, generations: Generations, copy: Generation, live: Live): Promise<void> {
  const { plan, log } = work;
  const before = {
    schema: await generations.schema(copy),
    rows: await generations.fingerprint(copy),
    applied: live.record.applied ?? [],
  };
  const began = performance.now();
  if (plan.kind === 'next') await applyPlan(work, copy);
  if (plan.kind === 'next')
    log(`migrated a copy in ${Math.round(performance.now() - began)} ms: the forecast of the hold`);
  demandReversible(work);
  await judge(work, generations, copy);
  if (plan.kind !== 'next' || plan.down !== null) return;
  work.proven = await provenOld(work, copy, live);
  log(
    work.proven
      ? 'the live release also runs on the new schema'
      : 'the live release does not run on the new schema',
  );
  if (work.ran.every(({ reversible }) => reversible)) await thereAndBack(work, generations, copy, before);
  else
    log(
      `cannot be taken back: ${work.ran
        .filter(({ reversible }) => !reversible)
        .map(({ name }) => name)
        .join(', ')} has no down`,
    );
}

function demandReversible({ ran, config }: Work): void {
  const oneWay = ran.find(({ reversible }) => !reversible);
  if (oneWay && config.migrations['require-reversible']) {
    throw new FailedError(
      `migration ${oneWay.name} has no down, and ${config.name} requires reversible migrations`,
    );
  }
}

/** Boots the new release on the copy, verifies everything, and looks whether the data is as it was. */
async function judge(work: Work, generations: Generations, copy: Generation): Promise<void> {
  const { tools, config, record, signal } = work;
  const baseline = await generations.fingerprint(copy);
  const context = contextOf(work);
  const instance = await bootOn(work, context, copy, 'rehearsal');
  try {
    const suites = await verify(tools, context, {
      instance,
      generation: copy,
      suites: config.verify.suites ?? [],
      baseline,
    });
    const changed = differing(baseline, await generations.fingerprint(copy));
    work.suites =
      changed.length > 0 ? withCheck(suites, await whatChanged(work, generations, copy, changed)) : suites;
  } finally {
    await stop(tools, instance, 0);
  }
  signal.throwIfAborted();
  await tools.journal.suites(record.id, work.suites);
  const failure = firstFailure(work.suites);
  if (failure) throw new DeploymentEnded(record.kind === 'deploy' ? 'rejected' : 'failed', failure);
}

async function whatChanged(
  work: Work,
  generations: Generations,
  copy: Generation,
  changed: string[],
): Promise<Check> {
  const touched = new Set(work.ran.flatMap(({ touches }) => touches));
  const differences = work.live?.generation
    ? await generations.compare(work.live.generation, copy, touched)
    : [];
  const found = differences.filter(({ table }) => changed.includes(table)).map(({ sentence }) => sentence);
  return {
    name: 'the data while the release started and was verified',
    success: false,
    expected: 'no change',
    actual: `changed: ${found.length > 0 ? found.join('; ') : changed.join(', ')}`,
    hint: 'start-up code must not write; look for what the release does before it is live',
    location: null,
  };
}

function withCheck(suites: Suite[], check: Check): Suite[] {
  const integrity = suites.find(({ name }) => name === 'integrity') ?? {
    name: 'integrity',
    success: true,
    durationMs: 0,
    checks: [],
  };
  const failed = { ...integrity, success: false, checks: [check, ...integrity.checks] };
  return [failed, ...suites.filter(({ name }) => name !== 'integrity')];
}

/** May we go back by pointer alone? The old release's own suites on the migrated copy say so. */
async function provenOld(work: Work, copy: Generation, live: Live): Promise<boolean> {
  const { tools } = work;
  try {
    const context = await liveContext(work, live);
    const instance = await bootOn(work, context, copy, 'earlier');
    try {
      const suites = await verify(tools, context, {
        instance,
        generation: copy,
        suites: live.config.verify.suites ?? [],
      });
      return firstFailure(suites) === null;
    } finally {
      await stop(tools, instance, 0);
    }
  } catch (error) {
    work.signal.throwIfAborted();
    work.log(`the live release on the new schema: ${oneLine(error)}`);
    return false;
  }
}

/** `down`, then `up` again: schema and data must come back exactly. */
async function thereAndBack(
  work: Work,
  generations: Generations,
  copy: Generation,
  before: { schema: string; rows: Awaited<ReturnType<Generations['fingerprint']>>; applied: string[] },
): Promise<void> {
  const { tools, config, log } = work;
  const context = contextOf(work);
  const problem = await migrate(tools, context, copy, ['down', '--to', before.applied.at(-1) ?? 'none']).then(
    async () => {
      if ((await generations.schema(copy)) !== before.schema) return 'its down does not restore the schema';
      const [table] = differing(before.rows, await generations.fingerprint(copy));
      return table ? `its down does not restore the data of ${table}` : null;
    },
    (error: unknown) => `its down failed: ${oneLine(error)}`,
  );
  if (problem === null) {
    await migrate(tools, context, copy, ['up']);
    return log('down and up again: schema and data came back');
  }
  const names = work.ran.map(({ name }) => name).join(', ');
  if (config.migrations['require-reversible'])
    throw new FailedError(`migration ${names} cannot be taken back: ${problem}`);
  log(`migration ${names} cannot be taken back: ${problem}`);
}

function bootOn(work: Work, context: ReleaseContext, generation: Generation, name: string) {
  const { config, release, deployment } = context;
  const slot = `${name}-${work.record.id.slice(-6)}`;
  // The rehearsed instance belongs to this deployment, also when it runs the earlier release: recovery ends it by that.
  return boot(work.tools, {
    config,
    slot,
    release,
    generation,
    deployment: { ...deployment, id: work.record.id },
    readOnly: true,
    signal: work.signal,
  });
}
