import { oneLine } from '../../problem.ts';
import type { Work } from '../work.ts';

/** What the verdict of a rehearsal need not wait for, in the order in which it is asked for. */
export function clearAway(work: Work, part: () => Promise<void>): void {
  const { tools, record } = work;
  work.clearing = work.clearing.then(part).catch((error: unknown) => {
    tools.logger.warn(
      { deployment: record.id, error: oneLine(error) },
      'a rehearsal could not be cleared away',
    );
  });
}
