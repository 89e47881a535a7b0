import type { Knex } from 'knex';
import type { Notifier } from '../host/systemd/notify.ts';

/**
 * Tells systemd that the daemon is ready, and that it lives: while its loop turns and its state store answers. One that
 * only looks alive is started again.
 * @returns what ends it
 */
export async function startHeartbeat(parts: {
  notify: Notifier;
  state: Knex;
  status: string;
}): Promise<() => Promise<void>> {
  const { notify, state, status } = parts;
  const beat = async () => {
    await state('environments').count();
    await notify.tell('WATCHDOG=1');
  };
  await notify.tell('READY=1', `STATUS=${status}`);
  const timer =
    notify.watchdogMs === null
      ? undefined
      : setInterval(() => void beat().catch(() => undefined), notify.watchdogMs / 3);
  return async () => {
    clearInterval(timer);
    await notify.tell('STOPPING=1');
  };
}
