import { setTimeout as sleep } from 'node:timers/promises';
import { COMMAND } from '../command.ts';
import type { Deployment } from '../deployment/model.ts';
import { FailedError } from '../problem.ts';
import { loadAnswers } from './answers.ts';
import type { Client } from './client.ts';
import { UnreachableError } from './failure.ts';
import type { ReceivedEvent } from './http.ts';

const PATIENCE_MS = 60_000;
const RETRY_MS = 300;

/** Waits until the deployment has its outcome; `onChange` sees it as it is and after each change. */
export async function waitFor(
  client: Client,
  id: string,
  options: { signal: AbortSignal; onChange(deployment: Deployment): void },
): Promise<Deployment> {
  for await (const { event, data } of lasting(client, `/api/deployments/${id}`, options)) {
    const deployment = await parseDeployment(data);
    options.onChange(deployment);
    if (event === 'end') return deployment;
  }
  throw new FailedError(`the deployer stopped telling of ${id}; see ${COMMAND} show ${id}`);
}

async function parseDeployment(text: string): Promise<Deployment> {
  const { deployment } = await loadAnswers();
  const parsed = deployment.safeParse(fromJson(text));
  if (!parsed.success)
    throw new FailedError('the deployer is of another version: it tells of deployments otherwise');
  return parsed.data;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Events until `end`. When the connection is lost, because the daemon is restarted, it goes on where it was for up to a minute. */
export async function* lasting(
  client: Pick<Client, 'events'>,
  path: string,
  { signal, patienceMs = PATIENCE_MS }: { signal: AbortSignal; patienceMs?: number },
): AsyncIterable<ReceivedEvent> {
  let lastId: string | null = null;
  let lostAt: number | null = null;
  for (;;) {
    try {
      const events = await client.events(path, lastId);
      lostAt = null;
      for await (const event of events) {
        lastId = event.id ?? lastId;
        yield event;
        if (event.event === 'end') return;
      }
      lostAt = performance.now();
    } catch (error) {
      lostAt ??= performance.now();
      if (signal.aborted || !(error instanceof UnreachableError) || performance.now() - lostAt > patienceMs)
        throw error;
    }
    await sleep(RETRY_MS, undefined, { signal });
  }
}
