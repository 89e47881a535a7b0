import type { Verb } from './verb.ts';
import {
  backupCreate,
  backupDrill,
  backupExport,
  backupList,
  backupRestore,
  backupVerify,
} from './verbs/backup.ts';
import { deploy } from './verbs/deploy.ts';
import { doctor } from './verbs/doctor.ts';
import { history } from './verbs/history.ts';
import { init } from './verbs/init.ts';
import { install, uninstall } from './verbs/install.ts';
import { lock, unlock } from './verbs/lock.ts';
import { logs } from './verbs/logs.ts';
import { migrateRehearse, migrateStatus } from './verbs/migrate.ts';
import { promote } from './verbs/promote.ts';
import { rollback } from './verbs/rollback.ts';
import { show } from './verbs/show.ts';
import { start } from './verbs/start.ts';
import { status } from './verbs/status.ts';
import { verify } from './verbs/verify.ts';

/** Every verb, in the order of the help. */
export const VERBS: readonly Verb[] = [
  start,
  init,
  deploy,
  promote,
  verify,
  status,
  history,
  show,
  logs,
  rollback,
  lock,
  unlock,
  migrateStatus,
  migrateRehearse,
  backupCreate,
  backupList,
  backupVerify,
  backupRestore,
  backupExport,
  backupDrill,
  doctor,
  install,
  uninstall,
];
