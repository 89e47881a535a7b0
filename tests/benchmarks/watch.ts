import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks: each is a request to what is live, and must not take the time that is measured. */
const PAUSE_MS = 10;
const PATIENCE_MS = 300_000;
/** For one look: what is reloaded may take a connection and never answer it. */
const LOOK_MS = 2000;

/** Milliseconds from before `act` to the first answer of `version` at the front address. */
export async function timeUntilLive(
  front: number,
  version: string,
  act: () => Promise<void>,
): Promise<number> {
  const began = performance.now();
  const acted = act();
  const failed = acted.then(() => new Promise<never>(() => {}));
  const first = await Promise.race([answers(front, version, began + PATIENCE_MS), failed]);
  await acted;
  return first - began;
}

/** When `version` first answered. Each look is a visitor of its own. */
async function answers(front: number, version: string, deadline: number): Promise<number> {
  for (;;) {
    if ((await versionAt(front)) === version) return performance.now();
    if (performance.now() > deadline) throw new Error(`${version} was not live on port ${front} in time`);
    await sleep(PAUSE_MS);
  }
}

/** null while nobody answers, or not well. */
export function versionAt(front: number): Promise<string | null> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(LOOK_MS);
    const asked = request({ host: '127.0.0.1', port: front, path: '/', agent: false, signal }, (response) => {
      response
        .setEncoding('utf8')
        .toArray()
        .then((chunks) => resolve(response.statusCode === 200 ? versionIn(chunks.join('')) : null))
        .catch(() => resolve(null));
    });
    asked.on('error', () => resolve(null));
    asked.end();
  });
}

function versionIn(body: string): string | null {
  const page: unknown = JSON.parse(body);
  return typeof page === 'object' && page && 'version' in page ? String(page.version) : null;
}
