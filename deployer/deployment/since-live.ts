import type { Work } from './work.ts';

/**
 * Milliseconds since visitors reach the deployment, counted steadily where this process made it live; else by the clock,
 * so that a daemon that died meanwhile does not make them fewer, and none where the clock has been set back.
 */
export async function sinceLive({
  tools,
  record,
  liveSince,
}: Pick<Work, 'tools' | 'record' | 'liveSince'>): Promise<number> {
  if (liveSince !== null) return performance.now() - liveSince;
  const { liveAt } = await tools.journal.get(record.id);
  return liveAt ? Math.max(0, tools.clock().getTime() - Date.parse(liveAt)) : 0;
}
