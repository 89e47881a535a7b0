import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '../../kit/daemon.ts';
import { deployment, deploymentPage, environment } from '../../../deployer/web/schemas.ts';
import { Application, environmentFile } from '../application.ts';
import { begin, end, environmentWith, run } from '../commands.ts';
import type { Breakdown, Contestant, Entry, Place } from '../contestant.ts';

const PROGRAM = fileURLToPath(new URL('../../../deployer/cli/launch.mjs', import.meta.url));
const TOKEN = 'benchmark-'.repeat(4);
const PATIENCE_MS = 600_000;
/** The earlier instance is put to rest half a second after a switch. */
const AFTERWARDS_MS = 600;

export const deployer: Entry<Deployer> = {
  name: 'deployer',
  about: 'this project: rehearsed, backed up, verified; a command line and a daemon of its own',
  prepare: (place) => Deployer.prepare(place),
};

/** This project as its users have it: a daemon as a process, pushes to its repository, its command line. */
export class Deployer implements Contestant {
  readonly application: Application;
  readonly front: number;
  readonly home: string;
  readonly #place: Place;
  readonly #api: number;
  #daemon: ChildProcess | null = null;
  #pushedAt = 0;

  private constructor(place: Place, application: Application, ports: { front: number; api: number }) {
    this.application = application;
    this.front = ports.front;
    this.home = join(place.directory, 'home');
    this.#place = place;
    this.#api = ports.api;
  }

  static async prepare(place: Place): Promise<Deployer> {
    const ports = { front: await freePort(), api: await freePort() };
    await mkdir(join(place.directory, 'home'));
    const application = await Application.create({
      directory: join(place.directory, 'work'),
      origin: join(place.directory, 'home', 'origin.git'),
      registry: place.registry,
      files: { 'environments/dev.yaml': environmentFile(ports.front) },
    });
    await application.repository.push('HEAD:dev');
    const contestant = new Deployer(place, application, ports);
    place.atEnd(() => contestant.stop());
    await contestant.start();
    await contestant.rest();
    return contestant;
  }

  /** Milliseconds until it was ready. */
  async start(): Promise<number> {
    const began = performance.now();
    this.#daemon = begin(this.#command('start'));
    await waitFor(
      'the deployer to be ready',
      async () => {
        if (this.#daemon?.exitCode !== null) throw new Error(`the deployer ended: see ${this.home}`);
        const response = await this.#get('/readyz').catch(() => null);
        return response?.status === 200 ? true : undefined;
      },
      PATIENCE_MS,
    );
    return performance.now() - began;
  }

  /** Ends the daemon and all that is its own. */
  async stop(): Promise<void> {
    if (this.#daemon) await end(this.#daemon);
  }

  async database(): Promise<string> {
    const data = join(this.home, 'data', 'dev');
    return join(data, await readlink(join(data, 'current')), 'notes.db');
  }

  async deploy(): Promise<void> {
    this.#pushedAt = Date.now();
    await this.application.repository.push('HEAD:dev');
  }

  async rollback(): Promise<void> {
    this.#pushedAt = Date.now();
    await run(this.#command('rollback', 'dev', '--last', '--json'));
  }

  async rollbackByApi(): Promise<void> {
    this.#pushedAt = Date.now();
    const response = await fetch(`http://127.0.0.1:${this.#api}/api/environments/dev/rollback`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ last: true }),
    });
    if (!response.ok)
      throw new Error(`the rollback was answered ${response.status}: ${await response.text()}`);
  }

  /** Until the newest commit has ended, for better or worse, and the earlier instance is at rest. */
  async rest(): Promise<void> {
    const last = await waitFor(
      'the environment to be at rest',
      async () => {
        const status = environment.parse(await (await this.#get('/api/environments/dev')).json());
        return status.running || status.waiting || !status.last ? undefined : status.last;
      },
      PATIENCE_MS,
    );
    if (last.outcome !== 'deployed' && last.outcome !== 'ok')
      throw new Error(`${last.id} ended ${last.outcome}: ${last.cause}`);
    const liveAt = Date.parse(last.liveAt ?? last.finishedAt ?? '');
    await sleep(Math.max(0, liveAt + AFTERWARDS_MS - Date.now()));
  }

  async breakdown(): Promise<Breakdown> {
    const page = deploymentPage.parse(await (await this.#get('/api/deployments?limit=1')).json());
    const id = page.deployments[0]?.id ?? '';
    const { stages, requestedAt, liveAt } = deployment.parse(
      await (await this.#get(`/api/deployments/${id}`)).json(),
    );
    const upToLive = stages.filter(({ name, state }) => state === 'done' && !AFTER.has(name));
    const parts = upToLive.map(({ name, durationMs }) => ({ part: name, ms: durationMs ?? 0 }));
    const asked = Date.parse(requestedAt) - this.#pushedAt;
    const inStages = parts.reduce((sum, { ms }) => sum + ms, 0);
    const between = Date.parse(liveAt ?? requestedAt) - Date.parse(requestedAt) - inStages;
    return [{ part: 'until requested', ms: asked }, ...parts, { part: 'between stages', ms: between }];
  }

  /** How long an answer to a question takes, in milliseconds. */
  async answerMs(path: string): Promise<number> {
    const began = performance.now();
    const response = await this.#get(path);
    await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
    return performance.now() - began;
  }

  /** How long a command of an operator's takes, in milliseconds, its own start included. */
  async commandMs(...args: string[]): Promise<number> {
    const began = performance.now();
    await once(begin(this.#command(...args)), 'exit');
    return performance.now() - began;
  }

  /** The most memory that the daemon has had since it started, in megabytes. */
  peakMegabytes(): number {
    const status = readFileSync(`/proc/${this.#daemon?.pid}/status`, 'utf8');
    return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
  }

  #get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#api}${path}`);
  }

  #command(...args: string[]) {
    return {
      argv: [process.execPath, PROGRAM, ...args],
      cwd: this.#place.directory,
      env: environmentWith({
        HOME: this.#place.directory,
        npm_config_registry: this.#place.registry.url,
        DEPLOYER_HOME: this.home,
        DEPLOYER_LISTEN: `127.0.0.1:${this.#api}`,
        DEPLOYER_ADMIN_TOKEN: TOKEN,
        DEPLOYER_RECONCILE_INTERVAL: '3600',
      }),
      log: join(this.#place.directory, 'deployer.log'),
    };
  }
}

/** Stages that visitors of the new version do not wait for. */
const AFTER = new Set(['settle', 'finish']);
