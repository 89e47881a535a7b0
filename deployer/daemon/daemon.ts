import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type { Conductor } from '../deployment/conductor.ts';
import { deploymentLogs } from '../deployment/prepare.ts';
import type { Tools } from '../deployment/work.ts';
import { githubForge } from '../forge/github/forge.ts';
import { realTime, type Time } from '../forge/github/pace.ts';
import { localForge } from '../forge/local/forge.ts';
import type { Forge } from '../forge/types.ts';
import { openStarter } from '../host/starter/client.ts';
import type { Operations } from '../operations.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import { createRedaction, type Redaction } from '../redaction.ts';
import { secretsIn, type Settings } from '../settings.ts';
import { openState } from '../state.ts';
import { beginTrial, isOnTrial, takeOver, tellTakenBack } from '../upgrade/take-over.ts';
import { needAddresses } from './addresses.ts';
import { clearUnfinishedBackups } from './backups.ts';
import { tellChanges } from './changes.ts';
import { closer, stopInstances } from './close.ts';
import { countedClock } from './counted-clock.ts';
import { clearDrills } from './drill.ts';
import { findAgain } from './find-again.ts';
import { startForgetting } from './forget.ts';
import { startLogCap } from './log-cap.ts';
import { clearRehearsals } from './prune.ts';
import { endRemoved } from './removed.ts';
import { composeRooms, type Ground } from './rooms.ts';
import type { Schedule } from './schedule.ts';
import { listen, publicUrl, serve } from './server.ts';

/** How long the start waits for the first look at the branches; it goes on by itself. */
const FIRST_LOOK_MS = 10_000;

export interface Daemon {
  operations: Operations;
  state: Knex;
  tools: Tools;
  reconciler: Reconciler;
  conductor: Conductor;
  schedule: Schedule;
  /** Where it listens; the port is the real one when 0 was asked for. */
  url: string;
  /** Aborted when the next start is a new deployer's: this one has to end. */
  replaced: AbortSignal;
  /** Stops the daemon and everything that belongs to its home: instances and front doors too. */
  stop(): Promise<void>;
  /** Stops the daemon alone, as if it had died; what is live goes on. */
  leave(): Promise<void>;
}

/**
 * Composes the rooms and starts them: the address first, then what is live, then what an earlier daemon left,
 * then the first look at the branches. The home is already this process's own.
 * @throws SettingsError when the address or a front door's is in use
 */
export async function startDaemon(options: {
  settings: Settings;
  logger: Logger;
  /** What the logger redacts by. */
  redaction?: Redaction;
  clock?: () => Date;
  /** What the stages are to work with, given the real thing: a test stops the daemon between any two effects. */
  instrument?: (tools: Tools) => Tools;
  /** By which changes on GitHub are spaced out. */
  time?: Time;
}): Promise<Daemon> {
  const { settings, logger, clock = () => new Date(), instrument = (tools) => tools, time } = options;
  const { redaction = createRedaction(secretsIn(settings)) } = options;
  const { home } = settings;
  for (const directory of ['logs', 'scratch', 'backups'])
    mkdirSync(join(home, directory), { recursive: true, mode: 0o700 });
  const server = await listen(settings);
  const closeStarter = openStarter();
  let state: Knex | undefined;
  try {
    state = await openState(settings);
    const forge = forgeOf(settings, publicUrl(settings, server), clock, time);
    const clocks = { clock, ageClock: options.clock ?? countedClock };
    return await start({
      settings,
      logger,
      redaction,
      ...clocks,
      instrument,
      server,
      closeStarter,
      state,
      forge,
    });
  } catch (error) {
    // Whatever stays open would keep the process.
    server.close();
    server.closeAllConnections();
    await closeStarter();
    await state?.destroy();
    throw error;
  }
}

async function start(base: Ground & { server: Server; closeStarter: () => Promise<void> }): Promise<Daemon> {
  const { settings, logger, redaction, clock, ageClock, server, closeStarter, state, forge } = base;
  const { home } = settings;
  const url = publicUrl(settings, server);
  let hasRecovered = false;
  const rooms = await composeRooms({ ...base, url, hasRecovered: () => hasRecovered });
  const { journal, outbox, tools, conductor, names, rehearsals, supervisor, reconciler } = rooms;
  const { found, schedule, code, upgrade, operations, metrics } = rooms;
  await needAddresses(tools, await names());
  const trial = { home, running: code, server, state, serving: found.serving, journal, logger };
  let isOpen = !(await isOnTrial(trial));
  tellChanges(rooms, logger);
  serve(server, {
    settings,
    state,
    operations,
    metrics,
    reconciler,
    rehearsals,
    forge,
    clock,
    logger,
    url,
    redaction,
    isOpen: () => isOpen,
  });

  if (!isOpen) await beginTrial(trial);
  await findAgain(tools);
  await endRemoved(tools, await names());
  await clearDrills(tools);
  await clearRehearsals(tools);
  await clearUnfinishedBackups(home);
  await Promise.all([supervisor.lookAtAll(), conductor.recover()]);
  // Before anything that would keep a process that has failed.
  await takeOver(trial);
  supervisor.start();
  const forgetting = startForgetting({
    state,
    outbox,
    logs: deploymentLogs(home),
    clock: ageClock,
    logger,
  });
  isOpen = true;
  hasRecovered = true;
  outbox.kick();
  await tellTakenBack({ home, journal, logger });
  // What is live does not depend on the forge, and a forge that cannot be reached may take long to say so.
  await Promise.race([reconciler.look(), sleep(FIRST_LOOK_MS, undefined, { ref: false })]);
  const close = closer({
    server,
    state,
    conductor,
    rehearsals,
    supervisor,
    reconciler,
    schedule,
    outbox,
    forge,
    forgetting,
    upgrade,
    closeStarter,
    endLogCap: startLogCap(join(home, 'logs'), (error) => logger.warn({ err: error }, 'a log is not cut')),
  });
  await conductor.kickAll();
  rehearsals.start();
  reconciler.start();
  schedule.start();
  void upgrade.look();
  return {
    operations,
    state,
    tools,
    reconciler,
    conductor,
    schedule,
    url,
    replaced: upgrade.replaced,
    leave: close,
    async stop() {
      await schedule.stop();
      // A look that comes late would raise a front door again.
      await reconciler.stop();
      await rehearsals.stop();
      await conductor.stop();
      await supervisor.stop();
      await stopInstances(tools, await names());
      await close();
    },
  };
}

function forgeOf(settings: Settings, url: string, clock: () => Date, time: Time = realTime): Forge {
  const { home, github } = settings;
  return github ? githubForge({ settings: github, home, url, clock, time }) : localForge({ home });
}
