import { oneLine } from '../problem.ts';
import { stop } from './instance.ts';
import { dropNext } from './next-copy.ts';
import { forgetDropped } from './restore.ts';
import { dropAhead } from './stages/ahead.ts';
import type { Work } from './work.ts';

/** Before the switch: stops what is new, lets the writes go, and leaves what is live as it was. Each part can be repeated. */
export async function undo(work: Work): Promise<void> {
  const { tools, generation } = work;
  const candidate = work.candidate ?? (await work.early?.instance.catch(() => null));
  const parts: [string, () => unknown][] = [
    // The lock first: whoever is let go needs it.
    ['release the write lock', () => work.writeLock?.release()],
    ['let the writes go', () => work.hold?.release()],
    ['give up the copy', () => dropNext(work)],
    ['stop the new instance', () => candidate && stop(tools, candidate, 0)],
    ['drop what was made ahead', () => dropAhead(work)],
    ['clear away the rehearsal', () => work.clearing],
    ['forget what would have been dropped', () => forgetDropped(tools, work.record)],
    ['watch the new generation no more', () => work.watch?.end()],
    [
      'remove the new generation',
      () =>
        generation && work.ownsGeneration ? tools.generations(work.config)?.remove(generation) : undefined,
    ],
  ];
  for (const [what, part] of parts) {
    try {
      await part();
    } catch (error) {
      tools.logger.error({ deployment: work.record.id, error: oneLine(error) }, `could not ${what}`);
    }
  }
  Object.assign(work, {
    hold: null,
    writeLock: null,
    candidate: null,
    early: null,
    generation: null,
    ownsGeneration: false,
    watch: null,
    warm: false,
  });
}
