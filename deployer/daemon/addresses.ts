import type { Tools } from '../deployment/work.ts';
import { assertFree } from '../host/ports.ts';
import { oneLine, SettingsError } from '../problem.ts';
import { discover } from '../reconcile/environments.ts';

interface Door {
  name: string;
  listen: string;
}

/**
 * Finds out before anything is started whether every front door can stand: those of what is live or, in a new home,
 * those that the branches want. What environments of this home take from each other, or one that comes later, is a
 * problem to show and stops nobody else.
 * @throws SettingsError that names the address which something else uses
 */
export async function needAddresses(tools: Tools, environments: readonly string[]): Promise<void> {
  const live = await liveDoors(tools, environments);
  const doors = live.length > 0 ? live : await wantedDoors(tools);
  const standing = await ownDoors(tools, [...environments, ...doors.map(({ name }) => name)]);
  const taken = new Map<string, string>();
  for (const { name, listen } of doors) {
    const file = `environments/${name}.yaml: listen ${listen}`;
    const other = taken.get(listen);
    if (other !== undefined) {
      const problem = `${file} is that of ${other} too: choose another port`;
      if (live.length === 0) throw new SettingsError(problem);
      tools.logger.warn(problem);
      continue;
    }
    taken.set(listen, name);
    // One of our own may stand on the address of another since that one moved.
    if (standing.length === 0 && (await isTaken(listen)))
      throw new SettingsError(`${file} is in use by another program: stop it, or choose another port`);
  }
}

async function liveDoors({ journal }: Tools, environments: readonly string[]): Promise<Door[]> {
  const records = await Promise.all(environments.map((name) => journal.liveOf(name)));
  return records.flatMap((record) =>
    record?.config ? [{ name: record.environment, listen: record.config.listen }] : [],
  );
}

async function wantedDoors({ mirror, logger }: Tools): Promise<Door[]> {
  try {
    await mirror.fetch();
    const { wanted } = await discover(mirror, new Map());
    return wanted.flatMap(({ name, config }) => (config ? [{ name, listen: config.listen }] : []));
  } catch (error) {
    logger.warn({ error: oneLine(error) }, 'the branches are not known yet');
    return [];
  }
}

/** Front doors of this home that an earlier deployer left are no strangers, nor is the host's web server. */
async function ownDoors({ frontDoor }: Tools, environments: readonly string[]): Promise<string[]> {
  const answers = await Promise.allSettled(environments.map((name) => frontDoor.counters(name)));
  return environments.filter((_name, index) => answers[index]?.status === 'fulfilled');
}

function isTaken(listen: string): Promise<boolean> {
  return assertFree(listen).then(
    () => false,
    (error: unknown) => oneLine(error).includes('is in use'),
  );
}
