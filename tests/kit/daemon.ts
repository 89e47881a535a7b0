import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { installHook } from '../../deployer/forge/local/origin.ts';
import { openLog } from '../../deployer/daemon/log.ts';
import { startDaemon, type Daemon } from '../../deployer/daemon/daemon.ts';
import type { Deployment } from '../../deployer/deployment/model.ts';
import type { Tools } from '../../deployer/deployment/work.ts';
import { createRedaction } from '../../deployer/redaction.ts';
import { parseSettings, secretsIn } from '../../deployer/settings.ts';
import type { GitHub } from './github/github.ts';
import { cloneProject } from './clone.ts';
import { Repository, sampleFiles } from './repository.ts';
import { scratchDatabase, type ScratchDatabase } from './scratch-database.ts';

/** A free port; nobody else is given it for a while. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

/** GitHub's second between two changes is the double's twentieth of one. */
const HURRIED = {
  now: () => performance.now() * 20,
  wait: (milliseconds: number, signal: AbortSignal) => sleep(milliseconds / 20, undefined, { signal }),
};

interface Parts {
  home: string;
  repository: Repository;
  ports: { dev: number; prod: number };
  /** Where the state is, if it is not SQLite in the home. */
  store: ScratchDatabase | null;
  /** Settings beyond the usual ones: of GitHub, where that is the forge. */
  env?: Readonly<Record<string, string>>;
}

/** How a stage's daemon is started. */
export interface Start {
  /** A held one, for what happens by the hour. */
  clock?: () => Date;
  /** What the daemon works with, given the real thing. */
  instrument?: (tools: Tools) => Tools;
  /** Whether it writes its own log, as it does in earnest. */
  logs?: boolean;
}

/** A home with the sample application in its repository, and a daemon in this process. */
export class Stage {
  #parts: Parts | null;
  #daemon: Daemon | null = null;

  /** Without parts it is named only, and has to be `set`. */
  constructor(parts: Parts | null = null) {
    this.#parts = parts;
  }

  /** With this project itself in the repository: its application is the datatracker, in dev alone. */
  static async ofProject(): Promise<Stage> {
    const root = await mkdtemp(join(tmpdir(), 'stage-'));
    const home = join(root, 'home');
    const ports = { dev: await freePort(), prod: await freePort() };
    const repository = await Repository.create(join(root, 'work'), join(home, 'origin.git'));
    await cloneProject(repository, ports);
    await repository.push('HEAD:dev');
    return new Stage({ home, repository, ports, store: null });
  }

  /** `more`: keys for the environments' files. */
  static async set(more: object = {}, directory?: string): Promise<Stage> {
    const stage = new Stage();
    await stage.set(more, directory);
    return stage;
  }

  async set(more: object = {}, directory?: string): Promise<void> {
    const root = directory ?? (await mkdtemp(join(tmpdir(), 'stage-')));
    const home = join(root, 'home');
    const ports = { dev: await freePort(), prod: await freePort() };
    const repository = await Repository.create(join(root, 'work'), join(home, 'origin.git'));
    await sampleFiles(repository, ports, more);
    await repository.push('HEAD:dev', 'HEAD:main');
    this.#parts = { home, repository, ports, store: await scratchDatabase() };
  }

  /** The same with a double of GitHub as the forge, whose webhook is set up as `init` would. */
  static async onGitHub(
    github: GitHub,
    env: Readonly<Record<string, string>>,
    more: object = {},
  ): Promise<Stage> {
    const root = await mkdtemp(join(tmpdir(), 'stage-'));
    const ports = { dev: await freePort(), prod: await freePort() };
    const listen = `127.0.0.1:${await freePort()}`;
    const repository = await Repository.clone(join(root, 'work'), github.pushUrl);
    await sampleFiles(repository, ports, more);
    await repository.push('HEAD:dev', 'HEAD:main');
    const secret = 'a secret of the webhook';
    github.hook({ url: `http://${listen}/webhooks/github`, secret });
    const settings = { DEPLOYER_LISTEN: listen, GITHUB_WEBHOOK_SECRET: secret, ...env };
    const store = await scratchDatabase();
    return new Stage({ home: join(root, 'home'), repository, ports, store, env: settings });
  }

  get home(): string {
    return this.#set.home;
  }

  get repository(): Repository {
    return this.#set.repository;
  }

  get ports(): { dev: number; prod: number } {
    return this.#set.ports;
  }

  get #set(): Parts {
    if (!this.#parts) throw new Error('the stage is not set');
    return this.#parts;
  }

  get daemon(): Daemon {
    if (!this.#daemon) throw new Error('the daemon is not started');
    return this.#daemon;
  }

  async start({
    clock = () => new Date(),
    instrument = (tools) => tools,
    logs = false,
  }: Start = {}): Promise<Daemon> {
    const { store, env } = this.#set;
    const settings = parseSettings({
      DEPLOYER_HOME: this.home,
      DEPLOYER_LISTEN: '127.0.0.1:0',
      DEPLOYER_RECONCILE_INTERVAL: '3600',
      DEPLOYER_DATABASE_URL: store?.url,
      ...env,
    });
    const redaction = createRedaction(secretsIn(settings));
    const logger = logs
      ? openLog(settings, redaction.redact)
      : pino({ level: process.env['LOG'] ?? 'silent' });
    this.#daemon = await startDaemon({ settings, logger, redaction, clock, instrument, time: HURRIED });
    if (!settings.github) await installHook({ home: this.home, url: this.#daemon.url });
    return this.#daemon;
  }

  /** Commits to `branch` and pushes; the webhook makes the daemon look. */
  async push(branch: string, message: string, files: Record<string, string | null>): Promise<string> {
    const commit = await this.repository.commit(message, files);
    await this.repository.push(`HEAD:${branch}`);
    return commit;
  }

  /** The finished deployment of a commit in an environment. */
  async ended(environment: string, commit: string): Promise<Deployment> {
    return waitFor(`${commit.slice(0, 8)} to end in ${environment}`, async () => {
      const { deployments } = await this.daemon.operations.deployments({ environment, commit });
      const ended = deployments.find(({ outcome }) => outcome !== null);
      return ended && this.daemon.operations.deployment(ended.id);
    });
  }

  /** A deployment once it has ended. */
  async outcome(deployment: { id: string }): Promise<Deployment> {
    return waitFor(`${deployment.id} to end`, async () => {
      const found = await this.daemon.operations.deployment(deployment.id);
      return found.outcome === null ? undefined : found;
    });
  }

  async allLive(): Promise<void> {
    await waitFor('everything to be live', async () =>
      (await this.daemon.operations.readiness()).ready ? true : undefined,
    );
    await waitFor('everything to be at rest', async () =>
      (await this.daemon.operations.environments()).every(({ running, waiting }) => !running && !waiting)
        ? true
        : undefined,
    );
  }

  async get(environment: 'dev' | 'prod', path = '/'): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`http://127.0.0.1:${this.ports[environment]}${path}`);
    return { status: response.status, body: await response.json() };
  }

  async post(environment: 'dev' | 'prod', text: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.ports[environment]}/notes`, {
      method: 'POST',
      body: text,
    });
    return response.status;
  }

  /** Stops the daemon alone, as if it had died. */
  async leave(): Promise<void> {
    await this.#daemon?.leave();
    this.#daemon = null;
  }

  /** Stops the daemon and what it serves; everything stays on disk. */
  async rest(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = null;
  }

  async strike(): Promise<void> {
    await this.rest();
    if (!this.#parts) return;
    const { home, store } = this.#parts;
    this.#parts = null;
    await store?.drop();
    await rm(join(home, '..'), { recursive: true, force: true });
  }
}

/** Waits for a condition, not for a time. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
