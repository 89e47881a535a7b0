import type { Check } from '../deployment/model.ts';
import { oneLine } from '../problem.ts';
import type { Examine, Subject } from './check.ts';
import { bad } from './check.ts';
import { addresses } from './checks/addresses.ts';
import { backups } from './checks/backups.ts';
import { certificates } from './checks/certificates.ts';
import { clock } from './checks/clock.ts';
import { daemon } from './checks/daemon.ts';
import { disk } from './checks/disk.ts';
import { forge } from './checks/forge.ts';
import { installed } from './checks/installed.ts';
import { settings } from './checks/settings.ts';
import { sites } from './checks/sites.ts';
import { sqlite } from './checks/sqlite.ts';
import { state } from './checks/state.ts';
import { tools } from './checks/tools.ts';
import { upgrade } from './checks/upgrade.ts';

/** Everything that is examined, in the order of the report. */
const EXAMINED: Readonly<Record<string, Examine>> = {
  settings,
  installed,
  upgrade,
  daemon,
  forge,
  tools,
  disk,
  clock,
  state,
  addresses,
  sites,
  certificates,
  sqlite,
  backups,
};

/** Examines everything, whatever fails: each problem with its mend. */
export async function examine(subject: Subject): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [name, look] of Object.entries(EXAMINED))
    checks.push(...(await cautiously(name, look, subject)));
  return checks;
}

async function cautiously(name: string, look: Examine, subject: Subject): Promise<Check[]> {
  try {
    return await look(subject);
  } catch (error) {
    const hint = 'mend what the reason says, then run doctor again';
    return [bad(name, { expected: 'can be examined', actual: oneLine(error), hint })];
  }
}
