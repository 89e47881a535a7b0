import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../deployment/journal.ts';
import type { Deployment } from '../deployment/model.ts';

const LOOK_EVERY_MS = 200;

/** The deployment after each change, until it is finished or the signal aborts. Changes that come faster than they are read fold. */
export async function* watchDeployment(
  journal: Journal,
  id: string,
  signal: AbortSignal,
): AsyncIterable<Deployment> {
  let wake = () => {};
  let changed = false;
  const note = () => {
    changed = true;
    wake();
  };
  const unsubscribe = journal.onChange((other) => other === id && note());
  signal.addEventListener('abort', note);
  try {
    while (!signal.aborted) {
      changed = false;
      const deployment = await journal.details(id);
      if (!deployment) return;
      yield deployment;
      if (deployment.outcome !== null) return;
      if (!changed) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', note);
  }
}

/** The lines of a deployment's log; with `follow`, those that are still written until it is finished. */
export async function* logLines(
  journal: Journal,
  id: string,
  file: string,
  options: { follow: boolean; signal: AbortSignal },
): AsyncIterable<string> {
  const decoder = new StringDecoder('utf8');
  let position = 0;
  let rest = '';
  for (;;) {
    const ended = (await journal.get(id)).phase === 'finished';
    const text = await readFrom(file, position);
    position += text.length;
    const lines = (rest + decoder.write(text)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (ended || !options.follow || options.signal.aborted) break;
    await sleep(LOOK_EVERY_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
  if (rest) yield rest;
}

async function readFrom(file: string, position: number): Promise<Buffer> {
  const handle = await open(file).catch(() => null);
  if (!handle) return Buffer.alloc(0);
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.max(0, size - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
