import type { EmitterWebhookEventName } from '@octokit/webhooks';
import { z } from 'zod';
import type { Named } from '../forge/types.ts';
import type { Delivery } from './webhook.ts';

/** What a delivery makes us look at. It is a hint and never a target: what is there is asked of the forge itself. */
export type Look = 'branches' | 'pulls';

/** Why nothing is to be looked at: an event that changes nothing here, or another repository's. */
export interface Ignored {
  ignored: string;
}

/** Events by GitHub's own names (docs.github.com, "Webhook events and payloads"); what is not named is ignored. */
const LOOKS: Partial<Record<EmitterWebhookEventName, Look>> = {
  ping: 'branches',
  // Creations, deletions and force-pushes are pushes too: the branches as they are now say what is wanted.
  push: 'branches',
  'pull_request.opened': 'pulls',
  'pull_request.synchronize': 'pulls',
  'pull_request.reopened': 'pulls',
  'pull_request.edited': 'pulls',
  'pull_request.closed': 'pulls',
};

/** When the body is not what GitHub documents, or was too large to be read, one look too many harms nobody. */
const UNREAD: Partial<Record<string, Look>> = { ping: 'branches', push: 'branches', pull_request: 'pulls' };

const payloads = z.object({
  action: z.string().optional(),
  ref: z.string().optional(),
  changes: z.object({ base: z.unknown().optional() }).optional(),
  // Hooks of an organisation or an App speak for many repositories.
  repository: z.object({ full_name: z.string(), id: z.number().optional().catch(undefined) }).nullish(),
});
type Payload = z.output<typeof payloads>;

/**
 * What an authentic delivery means.
 * @param owns the only repository that is listened to; absent: all of them, there is but one
 */
export function hintOf(
  { name, payload }: Delivery,
  owns: ((repository: Named) => boolean) | undefined,
): { look: Look } | Ignored {
  const read = payloads.safeParse(payload === '' ? null : JSON.parse(payload));
  const look = read.success ? lookOf(name, read.data) : UNREAD[name];
  if (look === undefined) return { ignored: `the event ${name} changes nothing here` };
  const from = read.data?.repository;
  if (owns && from && !owns(from)) return { ignored: 'it is of another repository' };
  return { look };
}

function lookOf(name: string, { action, ref, changes }: Payload): Look | undefined {
  if (name === 'push' && ref !== undefined && !ref.startsWith('refs/heads/')) return undefined;
  if (name === 'pull_request' && action === 'edited' && changes?.base === undefined) return undefined;
  const full = action === undefined || name === 'ping' ? name : `${name}.${action}`;
  return (LOOKS as Partial<Record<string, Look>>)[full];
}
