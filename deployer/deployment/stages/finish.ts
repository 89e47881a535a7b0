import { nextTag } from '../tag.ts';
import type { Work } from '../work.ts';

/** Names the tag and removes what nothing needs any more. Each part can be repeated. */
export async function finish(work: Work): Promise<void> {
  const { tools, config, record } = work;
  const tag =
    config.requires && record.kind === 'deploy' ? nextTag(await tools.forge.tags(), tools.clock()) : null;
  if (tag) await tools.journal.note(record.id, { tag });
  await tools.prune(config);
}
