import type { Deployment } from '../deployment/model.ts';
import type { Operations } from '../operations.ts';
import type { ServerEvent } from './event-stream.ts';

/** An event for the deployment as it is and after each change; `end` when it has its outcome. */
export async function* liveDeployment(
  operations: Operations,
  id: string,
  signal: AbortSignal,
): AsyncIterable<ServerEvent> {
  const changes = operations.watch(id, signal)[Symbol.asyncIterator]();
  // Listen first, then look: no change falls between.
  let change = changes.next();
  change.catch(() => undefined);
  try {
    const present = await operations.deployment(id);
    if (present.outcome === null) {
      yield event('deployment', present);
      for (let step = await change; step.done !== true; step = await change) {
        yield event('deployment', step.value);
        change = changes.next();
      }
    }
    const last = await operations.deployment(id);
    if (last.outcome !== null) yield event('end', last);
  } finally {
    // Not awaited: one that waits for a change hears of the end by the signal.
    void changes.return?.();
  }
}

function event(name: string, deployment: Deployment): ServerEvent {
  return { event: name, data: JSON.stringify(deployment) };
}

/** An event for each line, numbered from 1 so that a reader who lost the connection goes on after `seen`; then `end` with the outcome. */
export async function* liveLog(
  operations: Operations,
  id: string,
  seen: number,
  signal: AbortSignal,
): AsyncIterable<ServerEvent> {
  let number = 0;
  for await (const line of operations.log(id, { follow: true, signal })) {
    number += 1;
    if (number > seen) yield { id: String(number), data: line };
  }
  const { outcome } = await operations.deployment(id);
  if (outcome !== null) yield { event: 'end', data: outcome };
}
