import { freeBytes, LEAST_FREE_BYTES, noSpace } from '../../host/free-space.ts';
import { TransientError } from '../../problem.ts';
import { DeploymentEnded } from '../ended.ts';
import { refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/** Of the database at once: for the rehearsal and its way back, for the backup, the backup itself, and that restored. */
const COPIES = 5;

/** What can be known before anything is fetched: lock, quarantine, disk space, the live database. */
export async function preflight(work: Work): Promise<void> {
  const { tools, record } = work;
  const refused = await refusal(tools, record);
  if (refused) throw new DeploymentEnded('refused', refused);
  // Whether a rollback touches the data, it has yet to find out.
  if (record.kind !== 'rollback') await examineData(work);
}

/** Whether there is space for what will be made of the data, and, for `demandSound`, whether the live database is sound. */
export async function examineData(work: Work): Promise<void> {
  const { tools, live } = work;
  await enoughSpace(work);
  const generations = live && tools.generations(live.config);
  if (!live?.generation || !generations) return;
  work.sound = generations.sound(live.generation);
  // It reads the whole database: whoever relies on it waits.
  work.sound.catch(() => undefined);
}

/** Before anything is made of the live database. @throws DeploymentEnded when it is damaged */
export async function demandSound({ sound, record }: Work): Promise<void> {
  const problem = await sound;
  if (problem)
    throw new DeploymentEnded(
      record.kind === 'deploy' ? 'rejected' : 'failed',
      `the live database is not sound: ${problem}`,
      true,
    );
}

/** Copies must not fill the disk to which what is live writes. */
async function enoughSpace(work: Work): Promise<void> {
  const { tools, live } = work;
  const database = live?.generation ? await tools.generations(live.config)?.size(live.generation) : 0;
  const needed = LEAST_FREE_BYTES + COPIES * (database ?? 0);
  const free = freeBytes(tools.home);
  if (free < needed) throw new TransientError(noSpace(free, needed));
}
