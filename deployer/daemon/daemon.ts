import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import { createConductor, type Conductor } from '../deployment/conductor.ts';
import { createJournal, type Journal } from '../deployment/journal.ts';
import { whatIsWrong } from '../deployment/own-secrets.ts';
import { deploymentLogs } from '../deployment/prepare.ts';
import { reportsOf } from '../deployment/reports.ts';
import type { Tools } from '../deployment/work.ts';
import { githubForge } from '../forge/github/forge.ts';
import { realTime, type Time } from '../forge/github/pace.ts';
import { localForge } from '../forge/local/forge.ts';
import { createOutbox } from '../forge/outbox.ts';
import type { Forge } from '../forge/types.ts';
import type { Operations } from '../operations.ts';
import { createReconciler, type EnvironmentRow, type Reconciler } from '../reconcile/reconciler.ts';
import { createRedaction, type Redaction } from '../redaction.ts';
import { secretsIn, type Settings } from '../settings.ts';
import { openState } from '../state.ts';
import { createMetrics, type Metrics } from '../web/metrics.ts';
import { needAddresses } from './addresses.ts';
import { countedClock } from './counted-clock.ts';
import { createBackground } from './background.ts';
import { closer, stopInstances } from './close.ts';
import { backupOperations } from './backup-operations.ts';
import { deploymentsLog } from './deployments-log.ts';
import { clearUnfinishedBackups } from './backups.ts';
import { clearDrills } from './drill.ts';
import { lookUp } from './live.ts';
import { startLogCap } from './log-cap.ts';
import { startForgetting } from './forget.ts';
import { createOperations } from './operations/operations.ts';
import { clearRehearsals } from './prune.ts';
import { endRemoved } from './removed.ts';
import { createRehearsals } from './rehearsals.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import { listen, publicUrl, serve } from './server.ts';
import { findAgain } from './find-again.ts';
import { createSupervisor } from './supervise.ts';
import { openTools } from './tools.ts';
import { runCommand } from '../host/command.ts';
import { openStarter } from '../host/starter/client.ts';
import { systemctl } from '../host/systemd/systemctl.ts';
import { running, UPGRADES } from '../upgrade/place.ts';
import { beginTrial, isOnTrial, takeOver, tellTakenBack } from '../upgrade/take-over.ts';
import { upgradeUnit } from '../upgrade/unit.ts';
import { createUpgrade, type Upgrade } from '../upgrade/upgrade.ts';

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
    return await compose({
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

async function compose(base: {
  settings: Settings;
  logger: Logger;
  redaction: Redaction;
  clock: () => Date;
  ageClock: () => Date;
  instrument: (tools: Tools) => Tools;
  server: Server;
  closeStarter: () => Promise<void>;
  state: Knex;
  forge: Forge;
}): Promise<Daemon> {
  const { settings, logger, redaction, clock, ageClock, instrument, server, closeStarter, state, forge } =
    base;
  const { home } = settings;
  const url = publicUrl(settings, server);
  const journal = createJournal({ state, clock, reports: reportsOf(url), redact: redaction.redact });
  const outbox = createOutbox({ state, forge, clock, logger });
  const background = createBackground();
  const tools = instrument(
    await openTools({
      home,
      machine: settings,
      logger,
      redaction,
      clock,
      ageClock,
      state,
      journal,
      forge,
      background,
    }),
  );
  const conductor = createConductor(tools);
  const names = async () => (await state<EnvironmentRow>('environments')).map(({ name }) => name);
  const rehearsals = createRehearsals({ state, tools, conductor });
  const supervisor = createSupervisor(tools, conductor, names);
  await needAddresses(tools, await names());
  const reconciler = createReconciler({
    state,
    mirror: tools.mirror,
    journal,
    policy: tools.policy,
    conductor,
    logger,
    intervalMs: settings.reconcileIntervalMs,
    watchBranches: (changed) => forge.watchBranches?.(changed),
    onEnvironment: async ({ name, config }) => {
      const live = await journal.liveOf(name);
      const address = live?.config?.listen ?? config?.listen;
      if (address) await tools.frontDoor.ensure(name, address);
    },
    obstacle: (name) => whatIsWrong(() => tools.secretsOf(name)),
    onLooked: rehearsals.look,
  });
  const found = lookUp(state, tools);
  const backups = backupOperations({ state, tools, conductor, background, lookUp: found });
  const schedule = createSchedule({
    environments: names,
    standingOf: backups.standingOf,
    perform: backups.perform,
    busy: conductor.runs,
    background,
    clock,
    logger,
  });
  let recovered = false;
  const code = running();
  const upgrade = createUpgrade({
    home,
    running: code,
    upgrades: UPGRADES,
    journal,
    names,
    conductor,
    put: (name) => systemctl('start', upgradeUnit(name)),
    runCommand,
    env: process.env,
    logger,
  });
  const operations = createOperations({
    state,
    tools,
    conductor,
    reconciler,
    rehearsals,
    supervisor,
    outbox,
    lookUp: found,
    backups,
    schedule,
    upgrade,
    recovered: () => recovered && !conductor.isRecovering(),
  });
  const trial = { home, running: code, server, state, serving: found.serving, journal, logger };
  let isOpen = !(await isOnTrial(trial));
  const metrics = createMetrics(operations);
  const write = deploymentsLog(process.env['LOGS_DIRECTORY']);
  journal.onChange((id) => {
    afterChange({ id, journal, outbox, metrics, reconciler, upgrade, write }).catch((error: unknown) =>
      logger.warn({ deployment: id, err: error }, 'a change could not be told'),
    );
  });
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
  recovered = true;
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

async function afterChange(parts: {
  id: string;
  journal: Journal;
  outbox: { kick(): void };
  metrics: Metrics;
  reconciler: Pick<Reconciler, 'look'>;
  upgrade: Pick<Upgrade, 'look'>;
  write: ReturnType<typeof deploymentsLog>;
}): Promise<void> {
  const { id, journal, outbox, metrics, reconciler, upgrade, write } = parts;
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
