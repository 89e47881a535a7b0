import type { IncomingMessage, ServerResponse } from 'node:http';
import { dial } from '../sluice/dial.ts';
import { exchange } from './exchange.ts';
import { hasBody, isRead } from './headers.ts';
import { isHidden } from './hidden.ts';
import { SLUICE } from '../sluice/links.ts';
import { answer, BAD_GATEWAY, NOT_FOUND, UNAVAILABLE } from './pages.ts';
import type { Traffic } from '../sluice/traffic.ts';

/** Takes one request to the instance that the links in `directory` point to, and its answer back. */
export async function proxy(
  directory: string,
  traffic: Traffic,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  traffic.requests += 1;
  if (isHidden(request.url ?? '/')) return answer(request, response, NOT_FOUND);
  for (let repeat = isRead(request) && !hasBody(request); ; repeat = false) {
    const socket = await dialFor(directory, traffic, request, response);
    if (response.destroyed) return void socket?.destroy();
    if (socket === null) return answer(request, response, UNAVAILABLE);
    const outcome = await exchange(request, response, socket);
    if (outcome === 'failing') traffic.errors += 1;
    if (outcome === 'not executed') return answer(request, response, UNAVAILABLE);
    if (outcome !== 'no answer' || response.destroyed) return;
    // A read may be asked again: the instance ended between accepting and answering.
    if (!repeat) break;
  }
  traffic.errors += 1;
  answer(request, response, BAD_GATEWAY);
}

function dialFor(directory: string, traffic: Traffic, request: IncomingMessage, response: ServerResponse) {
  const gaveUp = () => response.destroyed;
  if (isRead(request)) return dial(directory, 'live.sock', { gaveUp });
  // The sluice itself counts what passes through it; while it waits there a write is not in flight.
  const track = (target: string) => (target === SLUICE ? () => undefined : traffic.begin(target));
  return dial(directory, 'write.sock', { gaveUp, track });
}
