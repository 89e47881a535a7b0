import { listBackups } from '../../../backups/index.ts';
import { backupsOf } from '../../daemon/backups.ts';
import type { DeploymentRecord } from '../../deployment/record.ts';
import { bad, good, type Examine } from '../check.ts';

const HOUR = 3_600_000;
/** A schedule may slip by one turn: a deployment goes first. */
const PATIENCE = 2;

/** Each environment has a verified backup that is not older than its schedule says, and none is damaged. */
export const backups: Examine = async ({ home, live, now }) =>
  (await Promise.all(live.map((record) => examineOne(home, record, now)))).flat();

async function examineOne(home: string, { environment, config, liveAt }: DeploymentRecord, now: Date) {
  const { database, full } = config?.backups.schedule ?? {};
  const every = Math.min(database ?? Infinity, full ?? Infinity);
  const directory = backupsOf(home, environment);
  const { backups: all, unreadable } = await listBackups(directory, now);
  const damaged = unreadable.map((id) =>
    bad(`backup ${id} of ${environment}`, {
      expected: 'readable',
      actual: 'its manifest is damaged',
      hint: `deployer backup verify ${environment} ${id}; then move it away`,
      location: `${directory}/${id}`,
    }),
  );
  if (!Number.isFinite(every)) return damaged;
  return [...damaged, judgeAge(environment, all[0]?.verifiedAt ?? null, { every, since: liveAt, now })];
}

function judgeAge(
  environment: string,
  newest: string | null,
  { every, since, now }: { every: number; since: string | null; now: Date },
) {
  const name = `newest backup of ${environment}`;
  const expected = `at most ${hours(PATIENCE * every)} old`;
  // What has just gone live for the first time has its first one yet to come.
  const age = now.getTime() - Date.parse(newest ?? since ?? now.toISOString());
  const actual = newest === null ? 'none yet' : `${hours(age)} old`;
  if (age <= PATIENCE * every) return good(name, actual, expected);
  const hint = `deployer backup create ${environment} says why it fails`;
  return bad(name, { expected, actual, hint });
}

const hours = (milliseconds: number) => `${(milliseconds / HOUR).toFixed(1)} hours`;
