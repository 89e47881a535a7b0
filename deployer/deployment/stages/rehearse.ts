import type { Generation, Generations } from '../../data/types.ts';
import { Skipped } from '../journal.ts';
import { applyPlan, planData, planRollback } from '../migration.ts';
import type { Suite } from '../model.ts';
import { rehearseAfresh } from '../rehearsal/afresh.ts';
import { failedUp, holdCheck, quickMs, suiteOf, upCheck, wayBackCheck } from '../rehearsal/checks.ts';
import { beginAside } from '../rehearsal/aside.ts';
import { clearAway } from '../rehearsal/clear-away.ts';
import { looksMigrating } from '../rehearsal/looks-migrating.ts';
import { addTrialFiles, allWithFiles, copyCheaply, copyFiles, withFiles } from '../rehearsal/files.ts';
import { begin, end, judge, type Begun } from '../rehearsal/judge.ts';
import { promotionSuite } from '../rehearsal/promotion.ts';
import { earlierRunsOn, tryWayBack, type Before } from '../rehearsal/way-back.ts';
import { causeOf } from '../cause.ts';
import { withRows, type RanMigration } from '../row-changes.ts';
import { planRestore } from '../restore.ts';
import { DeploymentEnded } from '../ended.ts';
import type { Live, Work } from '../work.ts';
import { takeCopy } from './ahead.ts';
import { bootEarly } from './boot.ts';
import { demandSound, examineData } from './preflight.ts';

/**
 * Everything that can be known beforehand, on a copy of the live database: the migrations, the whole verification on a
 * private socket, whether anything was changed that nobody asked for, and the way back. The live side never notices.
 */
export async function rehearse(work: Work): Promise<Skipped | void> {
  const { tools, config, live, record } = work;
  await demandSound(work);
  if (record.kind === 'rehearsal') return rehearseAlone(work);
  const generations = tools.generations(config);
  if (!generations) return new Skipped('the environment has no database');
  if (!live?.generation) {
    work.plan = { kind: 'create' };
    return new Skipped('there is no data yet to rehearse on');
  }
  if (record.kind === 'restore')
    return onCopyOfFiles(work, generations, (own) => rehearseRestore(work, own, live));
  if (record.kind === 'rollback') {
    const plan = await planRollback(work, live);
    work.plan = plan;
    if (plan.kind !== 'same') {
      await examineData(work);
      await demandSound(work);
    }
    if (plan.kind === 'restore' && plan.generation === null)
      plan.files = (await tools.backups.prepare(config.name, plan.backup, work.signal)).hasFiles;
    work.rehearsed = true;
    return new Skipped(
      'this release was verified and live before; its way back is verified before the switch',
    );
  }
  await onCopyOfFiles(work, generations, (own) => rehearseOnCopy(work, own, live));
}

/** No deployment comes of it: it is tried on copies of the files too, and where there is no data yet without. */
async function rehearseAlone(work: Work): Promise<void> {
  const { tools, config, live } = work;
  work.files = await copyFiles(work);
  try {
    const generations = tools.generations(config);
    const own = generations && allWithFiles(generations, work.files);
    if (own && live?.generation) await rehearseOnCopy(work, own, live);
    else await conclude(work, await rehearseAfresh(work, own, work.files.directory));
  } finally {
    await work.clearing;
    await work.files.remove();
  }
}

/** What is only tried must not reach the live files; the instance that will be live is given these. */
async function onCopyOfFiles(
  work: Work,
  generations: Generations,
  rehearsed: (own: Generations) => Promise<void>,
): Promise<void> {
  work.files = await copyCheaply(work);
  const own = work.files ? allWithFiles(generations, work.files) : generations;
  try {
    await rehearsed(own);
  } finally {
    // A restore may have made them.
    const { files } = work;
    if (files) clearAway(work, () => files.remove());
  }
}

async function rehearseOnCopy(work: Work, generations: Generations, live: Live): Promise<void> {
  if (!live.generation) return;
  const [{ generation, heldMs }, likely] = await Promise.all([
    takeCopy(work, generations, live.generation),
    looksMigrating(work, live),
  ]);
  const copy = work.files ? withFiles(generation, work.files) : generation;
  try {
    if (likely) {
      work.plan = { kind: 'next', down: null };
      await rehearseMigrations(work, generations, { copy, heldMs, live });
    } else await rehearseAsCode(work, generations, { copy, heldMs, live });
    work.rehearsed = true;
  } finally {
    clearAway(work, () => generations.remove(copy));
  }
}

interface Copied {
  copy: Generation;
  heldMs: number;
  live: Live;
}

/** Most deployments bring no migration: the release boots while its migrations are asked. */
async function rehearseAsCode(
  work: Work,
  generations: Generations,
  { copy, heldMs, live }: Copied,
): Promise<void> {
  const early = startEarly(work, generations, copy);
  work.plan = await planData(work, copy).catch(async (error: unknown) => {
    await early.abandon();
    throw error;
  });
  if (work.plan.kind === 'same') await rehearseCode(work, copy, await early.begun);
  else if (await early.abandon()) await rehearseMigrations(work, generations, { copy, heldMs, live });
  else await onFreshCopy(work, generations, { heldMs, live });
}

/** Boots the new release on the copy in the hope that nothing is to be migrated. */
function startEarly(work: Work, generations: Generations, copy: Generation) {
  const abort = new AbortController();
  const begun = begin(work, generations, copy, AbortSignal.any([work.signal, abort.signal]));
  // It is looked at below, or not at all.
  begun.catch(() => undefined);
  return {
    begun,
    /** Ends it; resolves with whether it left the copy as it was. */
    async abandon(): Promise<boolean> {
      abort.abort(new Error('there are migrations'));
      const started = await begun.catch(() => null);
      if (!started) return false;
      const untouched = (await started.watch.changed()).length === 0;
      await end(work, started);
      return untouched;
    },
  };
}

/** A release that was started on the old schema may have written before it was ended. */
async function onFreshCopy(
  work: Work,
  generations: Generations,
  { heldMs, live }: Omit<Copied, 'copy'>,
): Promise<void> {
  if (!live.generation) return;
  const copy = await generations.draft(live.generation);
  try {
    await rehearseMigrations(work, generations, { copy, heldMs, live });
  } finally {
    await generations.remove(copy);
  }
}

/** Without migrations: the instance that will be live boots beside the verification. */
async function rehearseCode(work: Work, copy: Generation, begun: Begun): Promise<void> {
  try {
    await conclude(work, await judge(work, copy, begun, () => bootEarly(work)));
  } finally {
    clearAway(work, () => end(work, begun));
  }
}

async function judgeOn(
  work: Work,
  generations: Generations,
  copy: Generation,
): Promise<{ suites: Suite[]; bootMs: number }> {
  const begun = await begin(work, generations, copy);
  try {
    return { suites: await judge(work, copy, begun), bootMs: begun.bootMs };
  } finally {
    await end(work, begun);
  }
}

/** The backup is whole, its data comes to the schema of the live release, and that runs on it. */
async function rehearseRestore(work: Work, generations: Generations, live: Live): Promise<void> {
  const { tools, config, signal } = work;
  const plan = await planRestore(work, live);
  work.plan = plan;
  if (plan.files) await addTrialFiles(work, plan.backup);
  const made = await tools.backups.restore({ config, ...plan, signal });
  const restored = work.files ? withFiles(made, work.files) : made;
  try {
    await applyPlan(work, restored);
    await conclude(work, (await judgeOn(work, generations, restored)).suites);
    work.rehearsed = true;
  } finally {
    await generations.remove(restored);
  }
}

async function rehearseMigrations(work: Work, generations: Generations, copied: Copied): Promise<void> {
  const { copy, live } = copied;
  const before: Before = {
    schema: await generations.schema(copy),
    rows: await generations.rows(copy),
    watch: await generations.watch(copy),
    newest: live.record.applied?.at(-1) ?? 'none',
  };
  try {
    await rehearseFrom(work, generations, before, copied);
  } finally {
    await before.watch.end();
  }
}

async function rehearseFrom(
  work: Work,
  generations: Generations,
  before: Before,
  { copy, heldMs, live }: Copied,
): Promise<void> {
  const began = performance.now();
  await applyPlan(work, copy).catch((error: unknown) => failedUp(work, error));
  const migrateMs = performance.now() - began;
  if (work.ran.length === 0) {
    work.plan = { kind: 'same' };
    return rehearseCode(work, copy, await begin(work, generations, copy));
  }
  const after = await generations.rows(copy);
  const ran = withRows(work.ran, before.rows, after);
  await work.tools.journal.note(work.record.id, { ran });
  const aside = beginAside(work, generations, copy);
  const back = aside.on((own, draft) => tryWayBack(own, generations, draft, { before, after }));
  const earlier = aside.on((own, draft) => earlierRunsOn(own, draft, live));
  try {
    await aside.ready();
    const { suites, bootMs } = await judgeOn(work, generations, copy);
    const forecast = holdCheck(work, heldMs + migrateMs + bootMs + quickMs(suites));
    await conclude(work, [...suites, suiteOf([upCheck(work, migrateMs), forecast])]);
    work.proven = await earlier;
    const tried = await back;
    if (tried.problem !== null) await noteOneWay(work, ran);
    const wayBack = wayBackCheck(work, tried);
    await conclude(work, [...suites, suiteOf([wayBack, upCheck(work, migrateMs), forecast])]);
  } finally {
    await aside.end();
  }
}

/** Whatever they say of themselves: nobody is to go back by a `down` that loses what was written. */
async function noteOneWay({ tools, record }: Work, ran: readonly RanMigration[]): Promise<void> {
  await tools.journal.note(record.id, { ran: ran.map((each) => ({ ...each, reversible: false })) });
}

/** Records the suites, and ends the deployment at the first failure. */
async function conclude(work: Work, suites: Suite[]): Promise<void> {
  const { tools, record, signal } = work;
  signal.throwIfAborted();
  work.suites = record.request.pull ? [...suites, ...(await promotionSuite(work))] : suites;
  await tools.journal.suites(record.id, work.suites);
  const failure = await causeOf(work, suites, work.outputs.rehearsal);
  if (failure) throw new DeploymentEnded(record.kind === 'deploy' ? 'rejected' : 'failed', failure);
}
