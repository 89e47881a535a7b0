import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { createOrigin, installHook } from '../forge/local/origin.ts';
import { FailedError, oneLine, SettingsError } from '../problem.ts';
import { git } from '../release/git.ts';
import type { Settings } from '../settings.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { claimHome } from './home.ts';

const USAGE = 2;

export interface DaemonIo {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  /** Where `npm start` was called: the checkout that the local forge is made from. */
  cwd: string;
  /** Aborted by SIGINT and SIGTERM. */
  signal: AbortSignal;
}

/**
 * The daemon, until the signal: `npx deployer start`, and with `demo` what `npm start` adds (a local forge from this checkout).
 * @returns the exit code: 0 when it was stopped, 2 when it cannot start, with one line that says why
 */
export async function runDaemon(options: {
  settings: Settings;
  demo: boolean;
  io: DaemonIo;
}): Promise<number> {
  const { settings, demo, io } = options;
  try {
    await needGit();
    const lock = claimHome(settings.home);
    try {
      return await runIn(settings, demo, io);
    } finally {
      lock.release();
    }
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof FailedError)) throw error;
    io.stderr.write(`deployer: ${oneLine(error)}\n`);
    return USAGE;
  }
}

async function runIn(settings: Settings, demo: boolean, io: DaemonIo): Promise<number> {
  if (settings.github)
    throw new SettingsError(
      'GITHUB_REPOSITORY: the forge GitHub is not available in this version; unset it to use the local repository',
    );
  const { home } = settings;
  await createOrigin({ home, checkout: demo ? io.cwd : null });
  mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 });
  const logger = pino(
    { base: null },
    pino.destination({ dest: join(home, 'logs', 'deployer.log'), append: true, sync: true }),
  );
  const daemon = await startDaemon({ settings, logger });
  try {
    const hook = await installHook({ home, url: daemon.url });
    if (!hook)
      io.stderr.write(
        'deployer: the repository has a post-receive hook of its own; pushes are seen at the next look at the branches\n',
      );
    io.stdout.write(`deployer: listening on ${daemon.url}, home ${home}\n`);
    if (demo) await welcome(daemon, settings, io);
    await aborted(io.signal);
    return 0;
  } finally {
    io.stdout.write('deployer: stopping …\n');
    await daemon.stop();
  }
}

/** Waits until everything is live (or ended otherwise), then says where it is and what to try next. */
async function welcome(daemon: Daemon, { home }: Settings, io: DaemonIo): Promise<void> {
  const told = new Set<string>();
  while (!io.signal.aborted) {
    const environments = await daemon.operations.environments();
    for (const { name, running, last } of environments) {
      for (const deployment of [running, last]) {
        const stage = deployment?.stages.findLast(({ state }) => state === 'running' || state === 'failed');
        const line =
          deployment &&
          `${name}: ${deployment.outcome ?? stage?.name ?? 'waiting'}${deployment.cause ? `: ${deployment.cause}` : ''}`;
        if (line && !told.has(line)) io.stdout.write(`  ${line}\n`);
        if (line) told.add(line);
      }
    }
    // Neither live nor ended: it waits for what it requires.
    const busy = environments.some(
      ({ running, waiting, live, last }) => running ?? waiting ?? !(live ?? last),
    );
    if (environments.length > 0 && !busy) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (io.signal.aborted) return;
  const { ready, reasons } = await daemon.operations.readiness();
  const addresses = await Promise.all(
    (await daemon.operations.environments()).map(({ name }) => addressOf(daemon, name)),
  );
  const lines = [
    ready ? 'Everything is live.' : `Not everything is live: ${reasons.join('; ')}`,
    ...addresses.map(({ name, address }) => `  ${name.padEnd(10)} http://${address}/`),
    `  ${'deployer'.padEnd(10)} ${daemon.url}/`,
    'Try next: change something, commit it, and',
    `  git push ${relativeTo(io.cwd, join(home, 'origin.git'))} HEAD:dev`,
    '  npx deployer promote dev prod',
    '  npx deployer rollback prod',
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

async function addressOf(daemon: Daemon, name: string): Promise<{ name: string; address: string }> {
  const live = await daemon.tools.journal.liveOf(name);
  return { name, address: live?.config?.listen ?? '(not live)' };
}

const relativeTo = (cwd: string, path: string) =>
  path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;

async function needGit(): Promise<void> {
  try {
    await git(['--version']);
  } catch {
    throw new SettingsError('git is missing: install it (apt install git) and start again');
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
