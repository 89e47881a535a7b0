import { Skipped } from '../journal.ts';
import type { Live, Work } from '../work.ts';

/** A verified backup before production changes, and always before other data takes the place of what is live. */
export async function backup(work: Work): Promise<Skipped | void> {
  const { tools, live, config, record, ahead } = work;
  await tools.backups.giveWay(config.name);
  if (!wantsBackup(work)) return new Skipped('not asked for by the environment');
  if (!live?.generation) return new Skipped('there is no database yet');
  if (record.kind === 'rollback' && work.plan.kind === 'same')
    return new Skipped('the database does not change');
  work.backup = await (ahead?.backup ?? takeBackup(work, live, work.signal));
  if (ahead) ahead.backup = null;
  await tools.journal.note(record.id, { backup: work.backup });
  work.log(`backup ${work.backup} verified`);
}

export const wantsBackup = ({ config, plan }: Work): boolean =>
  config.backups['before-deploy'] || plan.kind === 'restore';

export async function takeBackup({ tools, config }: Work, live: Live, signal: AbortSignal): Promise<string> {
  await tools.backups.giveWay(config.name);
  return tools.backups.create({ live, kind: 'before-deploy', withFiles: false, signal });
}
