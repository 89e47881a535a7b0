import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { closeBackupThreads } from '../../../backups/index.ts';
import { pruneBackupsOf } from '../../../deployer/daemon/backups.ts';
import { parseEnvironment } from '../../../environments/parse.ts';
import { openJournal } from '../../unit/journal/journal.ts';
import { backupAt, makeSource } from '../backups/fixture.ts';
import { temporaryDirectory } from '../data/fixture.ts';

const home = temporaryDirectory();
afterAll(closeBackupThreads);

it('the audit trail tells each backup that the rules of retention let go', async () => {
  const { journal, state } = await openJournal();
  const source = { ...makeSource(home), directory: join(home, 'backups', 'dev') };
  for (const day of ['01', '02', '03']) await backupAt(source, `2026-11-${day}T00:00:00Z`, 'before-deploy');
  const clock = () => new Date('2026-11-20T12:00:00Z');
  const config = parseEnvironment(
    'name: dev\nbranch: dev\nlisten: 127.0.0.1:8001\ncommands: { start: node a.js }\nbackups: { keep: 1 }\n',
    'environments/dev.yaml',
  );
  await pruneBackupsOf({ home, journal, clock, ageClock: clock }, config);
  const entries: { action: string; detail: string }[] = await state('audit').orderBy('detail');
  expect(entries.map(({ action, detail }) => `${action} ${detail}`)).toEqual([
    'pruned backup 2026-11-01_00-00-00',
    'pruned backup 2026-11-02_00-00-00',
  ]);
});
