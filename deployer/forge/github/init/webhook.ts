import { z } from 'zod';
import type { Check } from '../../../deployment/model.ts';
import { everyPage, parsed, type GitHub } from '../client.ts';
import { hookFor } from '../hooks.ts';
import { isRefused } from '../permissions.ts';

/** What our webhook has to bring. */
const EVENTS = ['push', 'pull_request'];

const hook = z.object({
  id: z.number(),
  active: z.boolean(),
  events: z.array(z.string()),
  config: z.object({
    url: z.string().optional(),
    content_type: z.string().optional(),
    insecure_ssl: z.union([z.string(), z.number()]).optional(),
    secret: z.string().optional(),
  }),
});
type Hook = z.infer<typeof hook>;
const deliveries = z.array(z.object({ status_code: z.number() }));

/**
 * Creates our webhook, or repairs it; what is as it should be is left alone.
 * https://docs.github.com/rest/repos/webhooks: its secret is never shown, and a hook sends forms unless told json.
 * @param isNew the secret was made just now, so that no hook can have it
 */
export async function ensureWebhook(
  github: GitHub,
  { url, secret, isNew }: { url: string; secret: string; isNew: boolean },
): Promise<Check> {
  const list = everyPage(z.array(hook), (page) => github.rest.repos.listWebhooks({ ...github.at, ...page }));
  if (await isRefused(list)) return failed(url);
  const mine = hookFor(await list, url);
  const config = { url, content_type: 'json', secret, insecure_ssl: '0' };
  if (!mine) {
    const create = { ...github.at, name: 'web', active: true, events: EVENTS, config };
    return (await isRefused(github.rest.repos.createWebhook(create))) ? failed(url) : done(url, 'created');
  }
  const wrong = [...wrongOf(mine, url), ...((await isSecretWrong(github, mine, isNew)) ? ['secret'] : [])];
  if (wrong.length === 0) return done(url, 'as it should be');
  const events = [...new Set([...mine.events, ...EVENTS])];
  const update = { ...github.at, hook_id: mine.id, active: true, events, config };
  const refused = await isRefused(github.rest.repos.updateWebhook(update));
  return refused ? failed(url) : done(url, `repaired: ${wrong.join(', ')}`);
}

function wrongOf({ active, events, config }: Hook, url: string): string[] {
  const isEvery = events.includes('*') || EVENTS.every((event) => events.includes(event));
  return [
    ...(config.url === url ? [] : ['url']),
    ...(active ? [] : ['active']),
    ...(isEvery ? [] : ['events']),
    ...(config.content_type === 'json' ? [] : ['content_type']),
    ...(String(config.insecure_ssl ?? '0') === '0' ? [] : ['insecure_ssl']),
  ];
}

/** Whether it is ours can only be told by what became of the last delivery. */
async function isSecretWrong(github: GitHub, { id, config }: Hook, isNew: boolean): Promise<boolean> {
  if (isNew || !config.secret) return true;
  const request = { ...github.at, hook_id: id, per_page: 1 };
  const [last] = parsed(deliveries, await github.rest.repos.listWebhookDeliveries(request));
  return last?.status_code === 401;
}

const done = (url: string, actual: string): Check => ({
  name: 'webhook',
  success: true,
  expected: `sends ${EVENTS.join(' and ')} as signed JSON to ${url}`,
  actual,
  hint: null,
  location: null,
});

const failed = (url: string): Check => ({
  ...done(url, 'may not be read or changed'),
  success: false,
  hint: `give the token or the App the permission repository_hooks=write (the owner of the token must be an admin of the repository), then run init again; or create it by hand: Settings, Webhooks, with GITHUB_WEBHOOK_SECRET of the settings file`,
});
