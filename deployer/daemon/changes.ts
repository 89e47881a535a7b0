import type { Logger } from 'pino';
import { deploymentsLog } from './deployments-log.ts';
import type { Rooms } from './rooms.ts';

type Told = Pick<Rooms, 'journal' | 'outbox' | 'metrics' | 'reconciler' | 'upgrade'>;

/** From now on every change of a deployment is told to the rooms that it concerns. */
export function tellChanges(rooms: Told, logger: Logger): void {
  const write = deploymentsLog(process.env['LOGS_DIRECTORY']);
  rooms.journal.onChange((id) => {
    afterChange(id, rooms, write).catch((error: unknown) =>
      logger.warn({ deployment: id, err: error }, 'a change could not be told'),
    );
  });
}

async function afterChange(
  id: string,
  { journal, outbox, metrics, reconciler, upgrade }: Told,
  write: ReturnType<typeof deploymentsLog>,
): Promise<void> {
  const record = await journal.get(id).catch(() => null);
  // Accepted, begun, live and ended are what the forge is told.
  if (record && record.phase !== 'switching' && record.phase !== 'reverting') outbox.kick();
  if (record?.phase !== 'finished') return;
  // What was verified now may open the gate of another environment.
  if (record.outcome === 'deployed') void reconciler.look();
  const deployment = await journal.details(id);
  if (!deployment) return;
  metrics.finished(deployment);
  await write(deployment);
  if (record.outcome === 'deployed') void upgrade.look();
}
