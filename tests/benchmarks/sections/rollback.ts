import type { Kind } from '../application.ts';
import type { Participant } from '../arena.ts';
import { inTurns, pushAndGoBack, type Result, type Way } from '../turns.ts';

const KINDS: readonly Kind[] = ['code', 'migration', 'breaking'];

/** From the operator's command to the first answer of the earlier version, by what the taken-back push had changed. */
export async function measureRollbacks(
  participants: readonly Participant[],
  turns: number,
  log: (line: string) => void,
): Promise<Record<string, Record<string, Result>>> {
  const ways = participants.flatMap(({ name, contestant }) => {
    const byCommand = { name, contestant, back: undefined as Way | undefined };
    const api = contestant.rollbackByApi?.bind(contestant);
    return api ? [byCommand, { name: `${name}, by API`, contestant, back: () => api() }] : [byCommand];
  });
  const results: Record<string, Record<string, Result>> = {};
  for (const kind of KINDS) {
    log(`rollback: ${kind}`);
    results[kind] = await inTurns(ways, turns, ({ contestant, back }) =>
      pushAndGoBack(contestant, kind, back),
    );
  }
  return results;
}
