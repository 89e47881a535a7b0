import { LineSplitter, Tail } from './lines.ts';
import type { CommandSpec } from './types.ts';

const COLLECTED = 16 * 1024 * 1024;
const TAIL = 4096;

/** What a command writes: collected or logged, within bounds. `stop` is called when it writes too much to be collected. */
export function collectOutput({ stdout, log: tell }: Pick<CommandSpec, 'stdout' | 'log'>, stop: () => void) {
  const tail = new Tail(TAIL);
  const log = (line: string) => {
    tail.add(line);
    tell(line);
  };
  const collected: Buffer[] = [];
  let size = 0;
  const collect = (chunk: Buffer) => {
    if (size > COLLECTED) return;
    size += chunk.length;
    if (size <= COLLECTED) {
      collected.push(chunk);
      return;
    }
    log(`stopped: it wrote more than ${COLLECTED / 1024 / 1024} MB to stdout`);
    stop();
  };
  const lines = { out: new LineSplitter(log), err: new LineSplitter(log) };
  return {
    stdoutChunk: (chunk: Buffer) => (stdout === 'log' ? lines.out.write(chunk) : collect(chunk)),
    stderrChunk: (chunk: Buffer) => lines.err.write(chunk),
    /** No more comes: what is left of the last lines is told. */
    end: () => {
      lines.out.end();
      lines.err.end();
    },
    overflow: () => size > COLLECTED,
    stdout: () => Buffer.concat(collected).toString('utf8'),
    tail: () => tail.toString(),
  };
}
