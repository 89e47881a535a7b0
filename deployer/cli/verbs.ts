import type { Verb } from './verb.ts';

/** Every verb, in the order of the help. Each is loaded when it is asked for: none waits for what another one needs. */
const VERBS = new Map<string, () => Promise<Verb>>([
  ['start', async () => (await import('./verbs/start.ts')).start],
  ['init', async () => (await import('./verbs/init.ts')).init],
  ['deploy', async () => (await import('./verbs/deploy.ts')).deploy],
  ['promote', async () => (await import('./verbs/promote.ts')).promote],
  ['verify', async () => (await import('./verbs/verify.ts')).verify],
  ['status', async () => (await import('./verbs/status.ts')).status],
  ['history', async () => (await import('./verbs/history.ts')).history],
  ['show', async () => (await import('./verbs/show.ts')).show],
  ['logs', async () => (await import('./verbs/logs.ts')).logs],
  ['rollback', async () => (await import('./verbs/rollback.ts')).rollback],
  ['lock', async () => (await import('./verbs/lock.ts')).lock],
  ['unlock', async () => (await import('./verbs/lock.ts')).unlock],
  ['remove', async () => (await import('./verbs/remove.ts')).remove],
  ['migrate status', async () => (await import('./verbs/migrate.ts')).migrateStatus],
  ['migrate rehearse', async () => (await import('./verbs/migrate.ts')).migrateRehearse],
  ['backup create', async () => (await import('./verbs/backup.ts')).backupCreate],
  ['backup list', async () => (await import('./verbs/backup.ts')).backupList],
  ['backup verify', async () => (await import('./verbs/backup.ts')).backupVerify],
  ['backup restore', async () => (await import('./verbs/backup.ts')).backupRestore],
  ['backup export', async () => (await import('./verbs/backup.ts')).backupExport],
  ['backup drill', async () => (await import('./verbs/backup.ts')).backupDrill],
  ['doctor', async () => (await import('./verbs/doctor.ts')).doctor],
  ['install', async () => (await import('./verbs/install.ts')).install],
  ['uninstall', async () => (await import('./verbs/install.ts')).uninstall],
]);

/** The verb that this begins with, as nearly every command line does; else all of them. */
export async function loadVerbs([first = '', second = '']: readonly string[]): Promise<readonly Verb[]> {
  const load = VERBS.get(first) ?? VERBS.get(`${first} ${second}`);
  if (load) return [await load()];
  return Promise.all(VERBS.values().map((each) => each()));
}
