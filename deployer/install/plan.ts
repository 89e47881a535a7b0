import type { Host } from './host.ts';
import { reload } from './steps/reload.ts';
import { RELOADS, type Made, type Reload, type Step } from './step.ts';

/** A step, and what there is instead of it. */
export interface Planned {
  step: Step;
  /** null: it is as promised, and nothing is to be done. */
  found: string | null;
  /** Set for what only tells others of a change. */
  reload?: Reload;
}

/** What is to be done on this machine, in order; nothing has been done yet. */
export async function makePlan(
  host: Host,
  wanted: { files: readonly Step[]; services: readonly Step[]; due: readonly Reload[] },
): Promise<Planned[]> {
  const files = await look(wanted.files);
  const changed = files.flatMap(({ step, found }) => (found === null ? [] : (step.reloads ?? [])));
  const reloads = RELOADS.filter((each) => wanted.due.includes(each) || changed.includes(each));
  const told = reloads.map((each) => ({ step: reload(host, each), found: 'due', reload: each }));
  return [...files, ...told, ...(await look(wanted.services))];
}

async function look(steps: readonly Step[]): Promise<Planned[]> {
  const planned: Planned[] = [];
  for (const step of steps) planned.push({ step, found: await step.check() });
  return planned;
}

export function isToDo({ found }: Planned): boolean {
  return found !== null;
}

/** Only what was not there before is ours to take away. A service is ours once we have had it started at boot. */
export function isOurs({ step, found }: Planned): Made | null {
  return found === 'missing' || step.made?.kind === 'service' ? step.made : null;
}
