import { setTimeout as sleep } from 'node:timers/promises';
import { DRAIN_MS, stop } from '../instance.ts';
import { nextTag } from '../tag.ts';
import type { Work } from '../work.ts';

/** Measured: an instance that is ended at once after a switch costs requests that had already dialled it. */
const WARM_MS = 500;

/** Drains and stops the old instance, names the tag, removes what nothing needs any more. Each part can be repeated. */
export async function finish(work: Work): Promise<void> {
  const { tools, config, record } = work;
  const tag =
    config.requires && record.kind === 'deploy' ? nextTag(await tools.forge.tags(), tools.clock()) : null;
  if (tag) await tools.journal.note(record.id, { tag });
  await stopOldOne(work);
  await tools.prune(config);
}

async function stopOldOne({ tools, live, record }: Work): Promise<void> {
  if (!live) return;
  const old = await tools.instances.get(live.config.name, live.slot);
  if (!old || old.deployment === record.id) return;
  const { liveAt } = await tools.journal.get(record.id);
  const warm = liveAt ? tools.clock().getTime() - Date.parse(liveAt) : 0;
  await sleep(Math.max(0, WARM_MS - warm));
  await stop(tools, old, DRAIN_MS);
}
