import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { NEEDED, type App } from './credentials.ts';
import { keepPull, mergePull, openPull } from './endpoints/pulls.ts';
import { Faults } from './faults.ts';
import { createGitHubServer, type Recorded } from './server.ts';
import type { Pull, Status } from './world.ts';
import { World } from './world.ts';

/** The developer who pushes and merges in tests. */
const DEVELOPER = 'developer';

/**
 * A strict double of GitHub on 127.0.0.1 with one repository: real git over HTTP, the REST endpoints that the deployer
 * may use, signed webhooks, and faults on demand. What GitHub would refuse or ignore in a request is in `violations`.
 */
export class GitHub {
  readonly world: World;
  readonly faults = new Faults();
  readonly requests: Recorded[] = [];
  readonly violations: string[] = [];
  readonly #server: Server;
  readonly #developer: string;

  private constructor(world: World) {
    this.world = world;
    this.#developer = world.credentials.grant(DEVELOPER);
    const { faults, requests, violations } = this;
    this.#server = createGitHubServer({ world, faults, requests, violations });
  }

  /** @param directory an existing one of its own */
  static async start(directory: string, fullName = 'themetalayer/datatracker'): Promise<GitHub> {
    const github = new GitHub(await World.create(fullName, join(directory, 'github.git')));
    github.#server.listen(0, '127.0.0.1');
    await once(github.#server, 'listening');
    const address = github.#server.address();
    if (typeof address !== 'object' || !address) throw new Error('no address');
    github.world.origin = `http://127.0.0.1:${address.port}`;
    return github;
  }

  /** GITHUB_SERVER_URL. */
  get serverUrl(): string {
    return this.world.origin;
  }

  /** GITHUB_API_URL, as of an Enterprise Server. */
  get apiUrl(): string {
    return `${this.world.origin}/api/v3`;
  }

  /** What a developer pushes to, credentials included. */
  get pushUrl(): string {
    return `${this.world.origin.replace('://', `://x-access-token:${this.#developer}@`)}/${this.world.fullName}.git`;
  }

  /** The settings of a deployer that uses this GitHub with a token. */
  settings(token: string): Record<string, string> {
    return {
      GITHUB_REPOSITORY: this.world.fullName,
      GITHUB_SERVER_URL: this.serverUrl,
      GITHUB_API_URL: this.apiUrl,
      GITHUB_TOKEN: token,
    };
  }

  /** The same with an App. */
  appSettings(app: App): Record<string, string> {
    const { GITHUB_TOKEN: _token, ...rest } = this.settings('');
    return { ...rest, GITHUB_APP_ID: app.id, GITHUB_APP_PRIVATE_KEY: app.privateKey };
  }

  /** A token of the deployer's; by default with all that it needs. */
  grant(permissions: Record<string, 'read' | 'write'> = NEEDED): string {
    return this.world.credentials.grant('deployer', permissions);
  }

  /** A webhook as a person would have set it up. */
  hook(config: { url: string; secret: string }, events = ['push', 'pull_request']): number {
    const id = this.world.nextId();
    this.world.webhooks.hooks.push({
      id,
      active: true,
      events,
      config: { ...config, content_type: 'json', insecure_ssl: '0' },
      created_at: new Date().toISOString(),
    });
    return id;
  }

  open(pull: { title: string; head: string; base: string; body?: string }): Promise<Pull> {
    return openPull(this.world, DEVELOPER, pull);
  }

  /** A pull request from somebody's fork; its commit is on GitHub, and on no branch of the repository. */
  async openFromFork(pull: { title: string; commit: string; base: string; owner: string }): Promise<Pull> {
    const base = await this.world.bare.branch(pull.base);
    if (!base) throw new Error(`there is no branch ${pull.base}`);
    return await keepPull(this.world, pull.owner, {
      title: pull.title,
      head: { ref: 'patch-1', sha: pull.commit, repository: `${pull.owner}/${this.world.name}` },
      base: { ref: pull.base, sha: base },
    });
  }

  merge(pull: Pull, method: 'merge' | 'squash' = 'merge'): Promise<string> {
    return mergePull(this.world, pull, DEVELOPER, { merge_method: method });
  }

  close(pull: Pull): Promise<void> {
    return this.world.closePull(pull, DEVELOPER);
  }

  /** The statuses of a commit, oldest first; of one context when it is named. */
  statuses(sha: string, context?: string): Status[] {
    return this.world.statuses.filter(
      (one) => one.sha === sha && (context === undefined || one.context === context),
    );
  }

  async stop(): Promise<void> {
    this.world.webhooks.stop();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
