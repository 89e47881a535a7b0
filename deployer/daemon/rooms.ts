import type { Knex } from 'knex';
import type { Logger } from 'pino';
import { createConductor } from '../deployment/conductor.ts';
import { createJournal } from '../deployment/journal.ts';
import { whatIsWrong } from '../deployment/own-secrets.ts';
import { reportsOf } from '../deployment/reports.ts';
import type { Tools } from '../deployment/work.ts';
import { createOutbox } from '../forge/outbox.ts';
import type { Forge } from '../forge/types.ts';
import { runCommand } from '../host/command.ts';
import { systemctl } from '../host/systemd/systemctl.ts';
import { createReconciler, type EnvironmentRow } from '../reconcile/reconciler.ts';
import type { Redaction } from '../redaction.ts';
import type { Settings } from '../settings.ts';
import { running, UPGRADES } from '../upgrade/place.ts';
import { upgradeUnit } from '../upgrade/unit.ts';
import { createUpgrade } from '../upgrade/upgrade.ts';
import { createMetrics } from '../web/metrics.ts';
import { backupOperations } from './backup-operations.ts';
import { createBackground } from './background.ts';
import { lookUp } from './live.ts';
import { createOperations } from './operations/operations.ts';
import { createRehearsals } from './rehearsals.ts';
import { createSchedule } from './schedule.ts';
import { createSupervisor } from './supervise.ts';
import { openTools } from './tools.ts';

export type Rooms = Awaited<ReturnType<typeof composeRooms>>;

/** What the rooms stand on. */
export interface Ground {
  settings: Settings;
  logger: Logger;
  redaction: Redaction;
  clock: () => Date;
  ageClock: () => Date;
  instrument: (tools: Tools) => Tools;
  state: Knex;
  forge: Forge;
}

/** The rooms of the house, each with those that it works with. None of them does anything yet: `daemon.ts` starts them. */
export async function composeRooms(
  base: Ground & {
    url: string;
    /** Whether what an earlier daemon left is in a known state. */
    hasRecovered: () => boolean;
  },
) {
  const { settings, logger, redaction, clock, ageClock, instrument, state, forge, url, hasRecovered } = base;
  const { home } = settings;
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
    recovered: () => hasRecovered() && !conductor.isRecovering(),
  });
  const metrics = createMetrics(operations);
  return {
    journal,
    outbox,
    tools,
    conductor,
    names,
    rehearsals,
    supervisor,
    reconciler,
    found,
    schedule,
    code,
    upgrade,
    operations,
    metrics,
  };
}
