import type { Generation } from '../../data/types.ts';
import { FailedError } from '../../problem.ts';
import { verifyWork } from '../expectations/verify.ts';
import { causeOf } from '../cause.ts';
import { Skipped } from '../journal.ts';
import type { Suite } from '../model.ts';
import { DeploymentEnded } from '../ended.ts';
import type { Instance, Work } from '../work.ts';

/** What the rehearsal cannot have seen: the process that will be live, and its database. */
const QUICK = ['service', 'database'];

/** Verifies the new instance itself: everything when nothing was rehearsed, else the quick suites again. */
export async function verifyCandidate(work: Work): Promise<Skipped | void> {
  const { tools, candidate, generation, config, record, rehearsed } = work;
  if (!candidate) throw new FailedError('there is no instance to verify');
  if (work.warm) return new Skipped('this very instance was verified before it was live');
  const suites = await (work.early?.suites ??
    (rehearsed
      ? verifyQuickly(work, candidate, generation)
      : verifyWork(work, { instance: candidate, generation, suites: config.verify.suites ?? [] })));
  work.suites = merge(work.suites, suites);
  await tools.journal.suites(record.id, work.suites);
  const failure = await causeOf(work, suites, work.outputs.candidate);
  if (failure) throw new DeploymentEnded(record.kind === 'deploy' ? 'rejected' : 'failed', failure);
}

/** After a rehearsal; all suites when none of the quick ones is asked for. */
function verifyQuickly(work: Work, instance: Instance, generation: Generation | null): Promise<Suite[]> {
  const all = work.config.verify.suites ?? [];
  const quick = all.filter((suite) => QUICK.includes(suite));
  const suites = quick.length > 0 ? quick : all;
  return verifyWork(work, { instance, generation, suites });
}

/** The newer result of a suite replaces the older, unless the older has more checks and both passed. */
function merge(before: Suite[], after: Suite[]): Suite[] {
  const kept = before.map(
    (suite) => after.find(({ name, success }) => name === suite.name && !success) ?? suite,
  );
  return [...kept, ...after.filter((suite) => !before.some(({ name }) => name === suite.name))];
}
