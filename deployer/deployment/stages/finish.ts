import { syncFileSystem } from '../../host/sync.ts';
import { pullsOf } from '../reports/release-note.ts';
import { nextTag } from '../tag.ts';
import type { Work } from '../work.ts';

/** How far back the commits of a release note are read. */
const MOST_COMMITS = 5000;

/** Names the tag and removes what nothing needs any more. Each part can be repeated. */
export async function finish(work: Work): Promise<void> {
  const { tools, config, record, release } = work;
  if (config.requires && record.kind === 'deploy') await nameTag(work);
  // Only now: until a restore is undone, what is live may name them.
  if (record.request.undoes) await tools.backups.removeAdded(config.name, record.request.undoes.restore);
  await work.clearing;
  // A boot after a power cut starts it before anybody has looked at it.
  if (release) await syncFileSystem(release.directory);
  await tools.prune(config);
}

/** Once: a stage that is done again keeps the name. */
async function nameTag({ tools, record, target }: Work): Promise<void> {
  const { journal, forge, mirror } = tools;
  if ((await journal.get(record.id)).tag !== null) return;
  const last = await journal.newestTagged(record.environment);
  const commits = await mirror.log({ from: last?.commit ?? null, to: target.commit, most: MOST_COMMITS });
  // Those that the outbox has still to bring to the forge, too; while that is down, ours have to do.
  const taken = [...(await forge.tags().catch(() => [])), ...(await journal.tags())];
  await journal.note(record.id, { tag: nextTag(taken, tools.clock()), pulls: pullsOf(commits) });
}
