import type { Operations } from '../../operations.ts';

const LINES = 80;

export interface LogTail {
  lines: string[];
  /** How many came before these. */
  earlier: number;
}

/** The last lines of a deployment's log. */
export async function logTail(operations: Operations, id: string): Promise<LogTail> {
  const lines: string[] = [];
  let earlier = 0;
  for await (const line of operations.log(id, { follow: false, signal: AbortSignal.timeout(10_000) })) {
    lines.push(line);
    if (lines.length > LINES) {
      lines.shift();
      earlier += 1;
    }
  }
  return { lines, earlier };
}
