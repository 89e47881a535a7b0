import type { Kind } from '../application.ts';
import type { Participant } from '../arena.ts';
import { inTurns, push, type Result } from '../turns.ts';

const KINDS: readonly Kind[] = ['code', 'migration', 'lockfile'];

/** From the start of `git push` to the first answer of the new version at the front address, by what the push changes. */
export async function measurePushes(
  participants: readonly Participant[],
  turns: number,
  log: (line: string) => void,
): Promise<Record<string, Record<string, Result>>> {
  const results: Record<string, Record<string, Result>> = {};
  for (const kind of KINDS) {
    log(`push to live: ${kind}`);
    results[kind] = await inTurns(participants, turns, ({ contestant }) => push(contestant, kind));
  }
  return results;
}
