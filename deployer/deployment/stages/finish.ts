import { nextTag } from '../tag.ts';
import type { Work } from '../work.ts';

/** Names the tag and removes what nothing needs any more. Each part can be repeated. */
export async function finish(work: Work): Promise<void> {
  const { tools, config, record } = work;
  // A stage that is done again keeps the name.
  if (config.requires && record.kind === 'deploy' && record.tag === null)
    await tools.journal.note(record.id, { tag: nextTag(await takenTags(tools), tools.clock()) });
  await work.clearing;
  await tools.prune(config);
}

/** Those that the outbox has still to bring to the forge, too; while that is down, ours have to do. */
async function takenTags({ forge, journal }: Work['tools']): Promise<string[]> {
  return [...(await forge.tags().catch(() => [])), ...(await journal.tags())];
}
