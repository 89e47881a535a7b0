import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMMAND } from '../command.ts';
import type { Environment } from '../../environments/schema.ts';
import type { EnvironmentStatus } from '../deployment/model.ts';
import { originOf } from '../forge/local/path.ts';
import type { Daemon } from './daemon.ts';

interface WelcomeIo {
  stdout: { write(text: string): unknown };
  cwd: string;
  signal: AbortSignal;
}

const LOOK_EVERY_MS = 100;

/** Waits until everything is live (or ended otherwise), then says where it is and what to try next. */
export async function welcome(daemon: Daemon, home: string, io: WelcomeIo): Promise<void> {
  const told = new Set<string>();
  for (;;) {
    const environments = await daemon.operations.environments();
    for (const line of environments.flatMap(progress)) {
      if (!told.has(line)) io.stdout.write(`  ${line}\n`);
      told.add(line);
    }
    if (!environments.some(isBusy)) break;
    await sleep(LOOK_EVERY_MS, undefined, { signal: io.signal }).catch(() => undefined);
    if (io.signal.aborted) return;
  }
  const { ready, reasons } = await daemon.operations.readiness();
  const environments = await daemon.operations.environments();
  const live = await Promise.all(environments.map(({ name }) => daemon.tools.journal.liveOf(name)));
  const configs = live.flatMap((record) => record?.config ?? []);
  const lines = [
    ready ? 'Everything is live.' : `Not everything is live: ${reasons.join('; ')}`,
    ...environments.map(({ name }) => address(name, configs)),
    `  ${'deployer'.padEnd(10)} ${daemon.url}/`,
    'Try next: change something, commit it, and',
    ...next(configs, repository(home, io.cwd)),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

function progress({ name, running, last }: EnvironmentStatus): string[] {
  return [running, last].flatMap((deployment) => {
    if (!deployment) return [];
    const { outcome, stages, cause } = deployment;
    const stage = stages.findLast(({ state }) => state === 'running' || state === 'failed');
    return [`${name}: ${outcome ?? stage?.name ?? 'waiting'}${cause ? `: ${cause}` : ''}`];
  });
}

/** Not so what waits for a person: a lock. */
function isBusy({ running, waiting, live, last, lock }: EnvironmentStatus): boolean {
  if (running) return true;
  if (lock) return false;
  // Neither live nor ended: it waits for what it requires.
  return waiting !== null || !(live ?? last);
}

function address(name: string, configs: readonly Environment[]): string {
  const config = configs.find((candidate) => candidate.name === name);
  return `  ${name.padEnd(10)} ${config ? `http://${config.listen}/` : '(not live)'}`;
}

/** In the names of this application: its first environment, and the one that requires it. */
function next(configs: readonly Environment[], origin: string): string[] {
  const first = configs.find(({ requires }) => requires === undefined);
  const later = configs.find(({ requires }) => requires !== undefined && requires === first?.name);
  return [
    `  git push ${origin} HEAD:${first?.branch ?? 'dev'}`,
    ...(first && later ? [`  ${COMMAND} promote ${first.name} ${later.name}`] : []),
    ...(first ? [`  ${COMMAND} rollback ${(later ?? first).name}`] : []),
  ];
}

/** As short as it can be said where `npm start` was called. */
function repository(home: string, cwd: string): string {
  const origin = originOf(home);
  const path = relative(cwd, origin);
  return path.startsWith('..') ? origin : path;
}
