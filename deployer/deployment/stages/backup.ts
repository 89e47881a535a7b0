import { Skipped } from '../journal.ts';
import type { Work } from '../work.ts';

/** A verified backup before production changes, and always before other data takes the place of what is live. */
export async function backup(work: Work): Promise<Skipped | void> {
  const { tools, live, config, record } = work;
  await tools.backups.giveWay(config.name);
  if (!config.backups['before-deploy'] && work.plan.kind !== 'restore')
    return new Skipped('not asked for by the environment');
  if (!live?.generation) return new Skipped('there is no database yet');
  if (work.record.kind === 'rollback' && work.plan.kind === 'same')
    return new Skipped('the database does not change');
  work.backup = await tools.backups.create({ live, kind: 'before-deploy', signal: work.signal });
  await tools.journal.note(record.id, { backup: work.backup });
  work.log(`backup ${work.backup} verified`);
}
