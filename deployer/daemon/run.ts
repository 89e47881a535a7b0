import { existsSync } from 'node:fs';
import { createOrigin, installHook } from '../forge/local/origin.ts';
import { originOf } from '../forge/local/path.ts';
import { codeOf, FailedError, oneLine, SettingsError } from '../problem.ts';
import { createRedaction } from '../redaction.ts';
import { removeTree } from '../release/files.ts';
import { git, gitText } from '../release/git.ts';
import { secretsIn, type Settings } from '../settings.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { notifier } from '../host/systemd/notify.ts';
import { startHeartbeat } from './heartbeat.ts';
import { openLog } from './log.ts';
import { claimHome, type HomeLock } from './home.ts';
import { welcome } from './welcome.ts';

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
 * @returns the exit code: 0 when it was stopped, 2 when it cannot start, with one line that says why and nothing left behind
 */
export async function runDaemon(options: {
  settings: Settings;
  demo: boolean;
  io: DaemonIo;
}): Promise<number> {
  const { settings, demo, io } = options;
  let lock: HomeLock | undefined;
  let daemon: Daemon;
  try {
    await needGit();
    lock = claimHome(settings.home);
    daemon = await begin(settings, demo, io);
  } catch (error) {
    lock?.abandon();
    const line = whyNot(error, settings);
    if (line === null) throw error;
    io.stderr.write(`deployer: ${line}\n`);
    return USAGE;
  }
  try {
    await live(daemon, settings, demo, io);
    return 0;
  } finally {
    io.stdout.write('deployer: stopping …\n');
    // As units, instances are the machine's: they go on while the deployer is started again.
    await (settings.services === 'systemd' ? daemon.leave() : daemon.stop());
    lock.release();
  }
}

/** The local repository, where that is the forge, then the daemon. A repository that was made for a daemon that cannot start would be taken for somebody's next time. */
async function begin(settings: Settings, demo: boolean, io: DaemonIo): Promise<Daemon> {
  const { home } = settings;
  const start = () => {
    const redaction = createRedaction(secretsIn(settings));
    return startDaemon({ settings, redaction, logger: openLog(settings, redaction.redact) });
  };
  if (settings.github) return await start();
  const origin = originOf(home);
  const isNew = !existsSync(origin);
  try {
    await createOrigin({ home, checkout: demo ? io.cwd : null });
    if (isNew && (await hasChanges(io.cwd)))
      io.stdout.write('deployer: uncommitted changes are not deployed: commit them and push\n');
    return await start();
  } catch (error) {
    if (isNew) await removeTree(origin);
    throw error;
  }
}

async function live(daemon: Daemon, settings: Settings, demo: boolean, io: DaemonIo): Promise<void> {
  const { home } = settings;
  if (!settings.github && !(await installHook({ home, url: daemon.url })))
    io.stderr.write(
      'deployer: the repository has a post-receive hook of its own; pushes are seen at the next look at the branches\n',
    );
  io.stdout.write(`deployer: listening on ${daemon.url}, home ${home}\n`);
  // What a person merges on GitHub is not for us to promote.
  if (demo && !settings.github) await welcome(daemon, home, io);
  const status = `listening on ${daemon.url}`;
  const end = await startHeartbeat({ notify: notifier(process.env), state: daemon.state, status });
  await aborted(AbortSignal.any([io.signal, daemon.replaced]));
  await end();
}

/** The operator's sentence for what kept the daemon from starting; null: a defect. */
function whyNot(error: unknown, { home, databaseUrl }: Settings): string | null {
  if (error instanceof SettingsError || error instanceof FailedError) return oneLine(error);
  const code = codeOf(error);
  if (code === undefined || code.startsWith('ERR_')) return null;
  const isStore = databaseUrl !== null && !(error instanceof Error && 'path' in error);
  return `${isStore ? 'DEPLOYER_DATABASE_URL' : `DEPLOYER_HOME ${home}`} cannot be used (${code}): ${oneLine(error)}`;
}

async function needGit(): Promise<void> {
  try {
    await git(['--version']);
  } catch {
    throw new SettingsError('git is missing: install it (apt install git) and start again');
  }
}

/** Only what git follows: what is ignored or new was never meant. */
async function hasChanges(checkout: string): Promise<boolean> {
  const status = ['-C', checkout, '--no-optional-locks', 'status', '--porcelain', '--untracked-files=no'];
  return (await gitText(status).catch(() => '')) !== '';
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
