import type { Database } from '../database/database.ts';

type Handle = Pick<Database, 'setReadOnly'>;

/** Whether this instance is verified but not live yet, and must not change data. */
export interface DeploymentMode {
  isOn: () => boolean;
  /** Counts a write until `leave` is called; null: writes are refused now. */
  enter: () => (() => void) | null;
  /** On: resolves once the writes in flight have ended and the database handle refuses more. */
  set: (on: boolean) => Promise<void>;
}

export function deploymentMode(startOn: boolean, database: Handle): DeploymentMode {
  let on = startOn;
  let inFlight = 0;
  let idle: (() => void)[] = [];

  const leave = (): void => {
    inFlight -= 1;
    if (inFlight > 0) return;
    for (const resolve of idle) resolve();
    idle = [];
  };
  const whenIdle = (): Promise<void> =>
    inFlight === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve));

  return {
    isOn: () => on,
    enter: () => {
      if (on) return null;
      inFlight += 1;
      return leave;
    },
    set: async (next) => {
      if (next) {
        on = true;
        await whenIdle();
        await database.setReadOnly(true);
      } else {
        await database.setReadOnly(false);
        on = false;
      }
    },
  };
}
