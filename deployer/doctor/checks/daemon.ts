import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { bad, good, type Examine } from '../check.ts';

const ANSWER_MS = 5000;
/** What one that was just started has to look at the branches. */
const START_MS = 5000;
const LOOK_MS = 250;

/** It runs, and every environment is live or being brought live; on a host always, elsewhere when somebody started it. */
export const daemon: Examine = async ({ settings, isHost }) => {
  if (!settings) return [];
  const { host, port } = settings.listen;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { status, work } = await look(url);
  if (status === null && !isHost) return [];
  if (status === null) {
    const hint = 'journalctl -u deployer -n 20 says why; systemctl restart deployer';
    return [bad('the deployer', { expected: `answers on ${url}`, actual: 'no answer', hint })];
  }
  if (status === 200) return [good('the deployer', 'ready')];
  if (work.length > 0) return [good('the deployer', `not ready yet: it deploys ${work.join(' and ')}`)];
  const hint = 'deployer status says which environment is not live, deployer history ENV why';
  return [bad('the deployer', { expected: 'ready', actual: `not ready (${status})`, hint })];
};

/** What it answers, and in which environments it is at work while it is not ready. */
async function look(url: string): Promise<{ status: number | null; work: string[] }> {
  const end = performance.now() + START_MS;
  for (;;) {
    const { status } = await ask(`${url}/readyz`);
    const work = status === 503 ? await atWork(url) : [];
    if (status !== 503 || work.length > 0 || performance.now() > end) return { status, work };
    await sleep(LOOK_MS);
  }
}

const environments = z.object({
  environments: z.array(z.looseObject({ name: z.string(), running: z.unknown(), waiting: z.unknown() })),
});

async function atWork(url: string): Promise<string[]> {
  const { data } = environments.safeParse((await ask(`${url}/api/environments`)).body);
  return (data?.environments ?? []).flatMap(({ name, running, waiting }) =>
    running || waiting ? [name] : [],
  );
}

/** A status of null: nobody answers, or somebody else. */
async function ask(url: string): Promise<{ status: number | null; body: unknown }> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const body: unknown = await answer.json();
    return { status: answer.status === 200 || answer.status === 503 ? answer.status : null, body };
  } catch {
    return { status: null, body: null };
  }
}
