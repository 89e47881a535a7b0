import { z } from 'zod';
import { everyPage, parsed, type GitHub } from './client.ts';
import { GitHubError } from './failure.ts';

/** Then it is not the network any more; what was missed is found by the look at the branches. */
const MOST_ATTEMPTS = 5;
const MOST_PAGES = 10;

/** The hook that leads to this address, as it is written or else as servers read it: GitHub itself compares letters. */
export function hookFor<T extends { config: { url?: string | undefined } }>(
  hooks: readonly T[],
  address: string,
): T | undefined {
  const plain = (url = '') => (URL.parse(url)?.href ?? url).replace(/\/+$/, '').toLowerCase();
  return (
    hooks.find(({ config }) => config.url === address) ??
    hooks.find(({ config }) => plain(config.url) === plain(address))
  );
}

const hook = z.object({ id: z.number(), config: z.object({ url: z.string().optional() }) });
// GitHub's ids of deliveries are beyond what a number holds.
const id = z.union([z.number(), z.bigint()]);
const delivery = z.object({ id, guid: z.string(), delivered_at: z.string(), status_code: z.number() });
type Delivery = z.infer<typeof delivery>;

/**
 * Asks for the deliveries of our webhook that no attempt has brought since then; see `Forge.redeliverFailed`.
 * https://docs.github.com/rest/repos/webhooks#redeliver-a-delivery-for-a-repository-webhook
 */
export async function redeliverFailed(github: GitHub, address: string, since: Date): Promise<number> {
  try {
    const hooks = await everyPage(z.array(hook), (page) =>
      github.rest.repos.listWebhooks({ ...github.at, ...page }),
    );
    const mine = hookFor(hooks, address);
    if (!mine) return 0;
    const failed = failedOf(await deliveriesOf(github, mine.id, since));
    for (const one of failed) await redeliver(github, mine.id, one);
    return failed.length;
  } catch (error) {
    // Not permitted: the forge's trouble says so, and the interval look finds what was missed.
    if (error instanceof GitHubError && (error.status === 403 || error.status === 404)) return 0;
    throw error;
  }
}

/** One attempt, the newest, of each delivery that none has brought. */
function failedOf(deliveries: readonly Delivery[]): Delivery[] {
  const attempts = Map.groupBy(deliveries, ({ guid }) => guid);
  return [...attempts.values()].flatMap((ofOne) => {
    const arrived = ofOne.some(({ status_code: code }) => code >= 200 && code < 300);
    return arrived || ofOne.length >= MOST_ATTEMPTS ? [] : ofOne.slice(0, 1);
  });
}

/** Newest first, in pages that only lead on to the next. */
async function deliveriesOf(github: GitHub, hookId: number, since: Date): Promise<Delivery[]> {
  const all: Delivery[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await github.rest.repos.listWebhookDeliveries({
      ...github.at,
      hook_id: hookId,
      per_page: 100,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const found = parsed(z.array(delivery), answer);
    const recent = found.filter(({ delivered_at: at }) => Date.parse(at) >= since.getTime());
    all.push(...recent);
    const link = /<([^>]+)>; *rel="next"/.exec(answer.headers.link ?? '')?.[1];
    cursor = (link && URL.parse(link)?.searchParams.get('cursor')) ?? undefined;
    if (recent.length < found.length || cursor === undefined) break;
  }
  return all;
}

async function redeliver(github: GitHub, hookId: number, { id: deliveryId }: Delivery): Promise<void> {
  const { owner, repo } = github.at;
  await github.request(`POST /repos/${owner}/${repo}/hooks/${hookId}/deliveries/${deliveryId}/attempts`);
}
