import { FailedError, oneLine } from '../problem.ts';
import type { InstallManifest } from './manifest.ts';
import { isOurs, isToDo, type Planned } from './plan.ts';

/** What became of each step of a plan. */
export interface StepResult {
  name: string;
  state: 'unchanged' | 'planned' | 'done' | 'failed' | 'not-done';
  /** What there was before, or why it failed. */
  detail: string | null;
}

/** A dry run: the plan as it would be done. */
export function foretell(plan: readonly Planned[]): StepResult[] {
  return plan.map(({ step, found }) => ({
    name: step.title,
    state: found === null ? 'unchanged' : 'planned',
    detail: found,
  }));
}

/** Does what is to be done, in order, and stops at the first that fails: the rest is reported as not done. */
export async function execute(
  plan: readonly Planned[],
  manifest: InstallManifest,
  progress: (line: string) => void,
): Promise<StepResult[]> {
  const results = foretell(plan).map((result) =>
    result.state === 'planned' ? { ...result, state: 'not-done' as const } : result,
  );
  for (const [index, planned] of plan.entries()) {
    if (!isToDo(planned)) continue;
    const { title: name } = planned.step;
    progress(name);
    try {
      await perform(planned, manifest);
      results[index] = { name, state: 'done', detail: planned.found };
    } catch (error) {
      results[index] = { name, state: 'failed', detail: oneLine(error) };
      return results;
    }
  }
  return results;
}

async function perform(planned: Planned, manifest: InstallManifest): Promise<void> {
  const { step } = planned;
  await manifest.note({ made: isOurs(planned), reloads: step.reloads });
  await step.apply();
  if (planned.reload) return manifest.heard(planned.reload);
  const still = await step.check();
  if (still !== null) throw new FailedError(`it was done, and yet: ${still}`);
}
