import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { z } from 'zod';

const CHUNK = 1024 * 1024;
const LINE_FEED = 10;

/** What a line of the log says, of which Caddy writes more. */
const entrySchema = z.object({
  status: z.number(),
  /** Present: the front door or the sluice answered, and no instance is to blame. */
  resp_headers: z.object({ 'X-Not-Executed': z.array(z.string()).optional() }).optional(),
});

export interface AccessLog {
  /** What was answered since it was opened: all requests, and those that an instance failed (500 and above, or no answer). */
  read(): { requests: number; errors: number };
}

/** Follows a web server's access log, one JSON object a line, from its present end on, also where it is rotated. */
export function openAccessLog(path: string): AccessLog {
  let requests = 0;
  let errors = 0;
  let rest = Buffer.alloc(0);
  let file = open(path, 'end');

  function count(line: string): void {
    const entry = parse(line);
    if (entry === null) return;
    requests += 1;
    if (entry.status >= 500 && !entry.resp_headers?.['X-Not-Executed']?.some(Boolean)) errors += 1;
  }

  function readOn(descriptor: number, from: number): number {
    const chunk = Buffer.alloc(CHUNK);
    let at = from;
    for (let bytes; (bytes = readSync(descriptor, chunk, 0, CHUNK, at)) > 0; at += bytes) {
      rest = Buffer.concat([rest, chunk.subarray(0, bytes)]);
      const end = rest.lastIndexOf(LINE_FEED) + 1;
      for (const line of rest.subarray(0, end).toString().split('\n')) count(line);
      rest = rest.subarray(end);
    }
    return at;
  }

  return {
    read() {
      if (file) {
        // Truncated in place: what follows is new.
        if (fstatSync(file.descriptor).size < file.at) file.at = 0;
        file.at = readOn(file.descriptor, file.at);
      }
      if (file === null || statSync(path, { throwIfNoEntry: false })?.ino !== file.inode) {
        const next = open(path, 'start');
        if (next) {
          if (file) closeSync(file.descriptor);
          file = next;
          file.at = readOn(file.descriptor, 0);
        }
      }
      return { requests, errors };
    },
  };
}

function open(path: string, from: 'start' | 'end') {
  if (!statSync(path, { throwIfNoEntry: false })) return null;
  const descriptor = openSync(path, 'r');
  const { ino, size } = fstatSync(descriptor);
  return { descriptor, inode: ino, at: from === 'end' ? size : 0 };
}

function parse(line: string): z.output<typeof entrySchema> | null {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
