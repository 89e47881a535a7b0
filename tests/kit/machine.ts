import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Deployment, EnvironmentStatus } from '../../deployer/deployment/model.ts';
import { ask } from '../../deployer/host/sluice/control-client.ts';
import { startedWith } from '../../deployer/host/proc.ts';
import { runDirectory } from '../../deployer/host/run-directory.ts';
import { siteOf, type WebServer } from '../../deployer/host/web-server/site.ts';
import { Stage, waitFor } from './daemon.ts';
import type { Repository } from './repository.ts';
import type { Message, Order } from './stepping-daemon.ts';
import { startWebServer, type RunningWebServer } from './web-server.ts';

const TOKEN = 't'.repeat(32);
const ENTRY = fileURLToPath(new URL('stepping-daemon.ts', import.meta.url));

export interface Step {
  step: string;
  /** The how manieth time. */
  nth?: number;
}

/** A machine on which the daemon is a process of its own that can be stopped at a step, and killed. */
export class Machine {
  readonly home: string;
  readonly repository: Repository;
  readonly port: number;
  /** The steps that the present daemon went through. */
  steps: string[] = [];
  #child: ChildProcess | null = null;
  #url = '';
  #webServer: RunningWebServer | null = null;
  #frontDoor: 'embedded' | WebServer = 'embedded';
  #reached = Promise.withResolvers<string>();

  private constructor(stage: Stage) {
    this.home = stage.home;
    this.repository = stage.repository;
    this.port = stage.ports.dev;
  }

  /** The sample application, in the environment dev alone; `more`: keys for its file, `root`: the directory of its own. */
  static async set(more: object = {}, root?: string): Promise<Machine> {
    const stage = await Stage.set(more, root);
    await stage.repository.commit('Without prod', { 'environments/prod.yaml': null });
    await stage.repository.push('HEAD:dev', 'HEAD:main');
    return new Machine(stage);
  }

  /** This machine's web server is the front door from now on. */
  async serveBy(server: WebServer): Promise<void> {
    const edges = { home: this.home, runDirectory: runDirectory(this.home) };
    const site = siteOf(edges, { name: 'dev', listen: `127.0.0.1:${this.port}` });
    this.#webServer = await startWebServer(server, join(this.home, '..'), [site]);
    this.#frontDoor = server;
  }

  /** Starts the daemon; `arm`: it stops at that step. Resolves once it is ready, or at that step when it comes first. */
  async boot(arm: Step | null = null): Promise<void> {
    const env = {
      DEPLOYER_LISTEN: '127.0.0.1:0',
      DEPLOYER_RECONCILE_INTERVAL: '3600',
      // Most of a start is reading our own files.
      NODE_COMPILE_CACHE: join(tmpdir(), 'stepping-daemon-compile-cache'),
    };
    this.steps = [];
    this.#child = fork(ENTRY, [], {
      env: {
        ...process.env,
        ...env,
        DEPLOYER_HOME: this.home,
        DEPLOYER_ADMIN_TOKEN: TOKEN,
        DEPLOYER_FRONT_DOOR: this.#frontDoor,
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const ready = Promise.withResolvers<void>();
    this.#child.on('message', (message: Message) => {
      if ('step' in message) this.steps.push(message.step);
      if ('reached' in message) this.#reached.resolve(message.reached);
      if ('ready' in message) {
        this.#url = message.ready;
        ready.resolve();
      }
    });
    this.#child.once('exit', (code, signal) =>
      ready.reject(new Error(`the daemon ended with ${code ?? signal} before it was ready`)),
    );
    ready.promise.catch(() => undefined);
    this.arm(arm);
    await Promise.race([ready.promise, this.reached()]);
  }

  /** The daemon stops at that step from now on. */
  arm(step: Step | null): void {
    this.#reached = Promise.withResolvers<string>();
    this.#order({ arm: step && { step: step.step, nth: step.nth ?? 1 } });
  }

  reached(): Promise<string> {
    return this.#reached.promise;
  }

  /** Lets the daemon go on from the step at which it waits. */
  go(): void {
    this.#order({ go: true });
  }

  /** SIGKILL of the daemon alone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Kills at the step, wherever the daemon is on its way there. */
  async killAt(step: Step): Promise<void> {
    await within(60_000, `the step ${step.step}`, this.reached());
    await this.kill();
  }

  async push(message: string, files: Record<string, string | null>): Promise<string> {
    const commit = await this.repository.commit(message, files);
    await this.repository.push('HEAD:dev');
    return commit;
  }

  async status(): Promise<EnvironmentStatus> {
    return (await this.#get('/api/environments/dev')) as EnvironmentStatus;
  }

  /** The newest deployment of the commit, once it has ended. */
  async ended(commit: string): Promise<Deployment> {
    return waitFor(`${commit.slice(0, 8)} to end`, async () => {
      const { deployments } = (await this.#get(`/api/deployments?commit=${commit}`)) as {
        deployments: Deployment[];
      };
      return deployments[0]?.outcome ? deployments[0] : undefined;
    });
  }

  /** The last deployment, once nothing runs and nothing waits. */
  async atRest(): Promise<EnvironmentStatus> {
    return waitFor('the environment to be at rest', async () => {
      const status = await this.status();
      return status.live && !status.running && !status.waiting ? status : undefined;
    });
  }

  /** Asks for a rollback by one step, as the command line does. */
  async rollback(): Promise<Deployment> {
    return (await this.#post('rollback', { last: true })) as Deployment;
  }

  /** Makes a backup and returns its id. */
  async backup(): Promise<string> {
    return ((await this.#post('backups', {})) as { id: string }).id;
  }

  /** Asks for a restore, as the command line does. */
  async restore(backup: string): Promise<Deployment> {
    return (await this.#post(`backups/${backup}/restore`, {})) as Deployment;
  }

  /** The notes that a deployment saved beside the backups since other data took their place. */
  dropped(deployment: string): string[] {
    const directory = join(this.home, 'backups', 'dev');
    const all = existsSync(directory) ? readdirSync(directory) : [];
    const names = all.filter((name) => name.includes(`.dropped-${deployment}`));
    const lines = names.flatMap((name) =>
      readFileSync(join(directory, name), 'utf8').split('\n').filter(Boolean),
    );
    return lines.map((line) => (JSON.parse(line) as { row: { text: string } }).row.text);
  }

  /** What visitors get. */
  async visit<T = { version: string; commit: string }>(path = '/'): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  async notes(): Promise<string[]> {
    return (await this.visit<{ text: string }[]>('/notes')).map(({ text }) => text);
  }

  /** The database that is live. */
  database(): string {
    return join(this.home, 'data', 'dev', 'current', 'notes.db');
  }

  /** What the application's own jobs have stored, by what they noted outside of the database. */
  ticks(): string[] {
    const file = join(this.home, 'files', 'dev', 'ticks');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** Ends any hold, as the sluice does when its lease runs out. */
  async letGo(): Promise<void> {
    await ask(this.#runDirectory(), '/let-go', {});
  }

  links(): { live: string; write: string } {
    const directory = this.#runDirectory();
    return {
      live: readlinkSync(join(directory, 'live.sock')),
      write: basename(readlinkSync(join(directory, 'write.sock'))),
    };
  }

  /** Process ids of everything that serves from a socket of the environment: instances of any kind. */
  instances(slot?: string): number[] {
    const directory = this.#runDirectory();
    const names = slot === undefined ? this.#sockets(directory) : [`${slot}.sock`];
    return names.flatMap((name) => startedWith('LISTEN', join(directory, name)).map(({ pid }) => pid));
  }

  frontDoor(): number {
    const handle = JSON.parse(readFileSync(join(this.#runDirectory(), 'front-door.json'), 'utf8')) as {
      pid: number;
    };
    return handle.pid;
  }

  /** A program that the daemon's starter runs now, by a word of its command line. */
  running(word: string): { program: number; starter: number } | undefined {
    for (const program of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
      const { command, parent: starter } = processOf(program);
      if (command.includes(word) && processOf(starter).parent === this.#child?.pid)
        return { program, starter };
    }
    return undefined;
  }

  /** Directories of generations, finished or not. */
  generations(): string[] {
    return readdirSync(join(this.home, 'data', 'dev')).filter((name) => name !== 'current');
  }

  /** Stops everything and removes it. */
  async strike(): Promise<void> {
    if (!this.#child) await this.boot();
    const child = this.#child;
    if (child) {
      const gone = once(child, 'exit');
      this.go();
      this.#order({ end: true });
      await gone;
    }
    await this.#webServer?.kill();
    // Its directory may be a file system of its own, which is somebody else's to remove.
    await rm(join(this.home, '..'), { recursive: true, force: true }).catch(() => undefined);
  }

  #runDirectory(): string {
    return runDirectory(this.home).of('dev');
  }

  #sockets(directory: string): string[] {
    const own = ['control.sock', 'sluice.sock', 'live.sock', 'write.sock'];
    return readdirSync(directory).filter((name) => name.endsWith('.sock') && !own.includes(name));
  }

  #order(order: Order): void {
    if (this.#child?.connected) this.#child.send(order);
  }

  async #post(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.#url}/api/environments/dev/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`);
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

/** Its command line and its parent; nothing and 0 once it has ended. */
function processOf(pid: number): { command: string; parent: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { command: readFileSync(`/proc/${pid}/cmdline`, 'utf8'), parent: Number(parent) };
  } catch {
    return { command: '', parent: 0 };
  }
}

export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(new Error(`waited ${ms / 1000} s in vain for ${what}`)), ms);
  try {
    return await Promise.race([promise, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
