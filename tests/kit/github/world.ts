import { Bare } from './bare.ts';
import { Credentials } from './credentials.ts';
import { pullRequestEvent, pushEvent } from './events.ts';
import { isoNow } from './shapes.ts';
import { Webhooks } from './webhooks.ts';

export interface Status {
  id: number;
  sha: string;
  context: string;
  state: 'error' | 'failure' | 'pending' | 'success';
  description: string | null;
  target_url: string | null;
  creator: string;
  created_at: string;
}

export interface DeploymentStatus {
  id: number;
  state: string;
  description: string;
  environment: string;
  environment_url: string;
  log_url: string;
  creator: string;
  created_at: string;
}

export interface GitHubDeployment {
  id: number;
  sha: string;
  ref: string;
  task: string;
  payload: unknown;
  environment: string;
  description: string | null;
  transient_environment: boolean;
  production_environment: boolean;
  creator: string;
  created_at: string;
  statuses: DeploymentStatus[];
}

export interface Issue {
  number: number;
  title: string;
  body: string | null;
  user: string;
  state: 'open' | 'closed';
  labels: string[];
  created_at: string;
}

export interface Pull extends Issue {
  head: { ref: string; sha: string; repository: string };
  base: { ref: string; sha: string };
  draft: boolean;
  merged_at: string | null;
  merge_commit_sha: string | null;
}

export interface Comment {
  id: number;
  issue: number;
  body: string;
  user: string;
  created_at: string;
  updated_at: string;
}

interface Protection {
  contexts: string[];
  strict: boolean;
}

/** One repository on GitHub, with everything that is kept about it. */
export class World {
  /** It may be renamed and transferred. */
  owner: string;
  name: string;
  /** What it was called before: GitHub leads on from there. */
  readonly formerNames: string[] = [];
  readonly bare: Bare;
  readonly credentials = new Credentials();
  readonly webhooks: Webhooks;
  readonly statuses: Status[] = [];
  readonly deployments: GitHubDeployment[] = [];
  readonly issues: Issue[] = [];
  readonly pulls: Pull[] = [];
  readonly comments: Comment[] = [];
  /** Branch → its required checks. */
  readonly protection = new Map<string, Protection>();
  /** Where this server answers, set when it listens. */
  origin = '';
  #sequence = 1000;
  #number = 0;
  #refs = new Map<string, string>();
  #observing: Promise<void> = Promise.resolve();

  private constructor(fullName: string, bare: Bare) {
    [this.owner = '', this.name = ''] = fullName.split('/');
    this.bare = bare;
    this.webhooks = new Webhooks(() => this.nextId());
  }

  static async create(fullName: string, directory: string): Promise<World> {
    return new World(fullName, await Bare.create(directory));
  }

  get fullName(): string {
    return `${this.owner}/${this.name}`;
  }

  /** Renamed or transferred: `owner/name`. */
  rename(fullName: string): void {
    this.formerNames.push(this.fullName);
    [this.owner = '', this.name = ''] = fullName.split('/');
  }

  nextId(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Issues and pull requests share their numbers. */
  nextNumber(): number {
    this.#number += 1;
    return this.#number;
  }

  /** Tells by webhooks what has become of the branches and tags since the last time, and follows it in the pull requests. */
  async observe(by: string): Promise<void> {
    const next = this.#observing.then(() => this.#observe(by));
    this.#observing = next.catch(() => undefined);
    await next;
  }

  async #observe(by: string): Promise<void> {
    const before = this.#refs;
    const after = await this.bare.refs();
    this.#refs = after;
    const names = new Set([...before.keys(), ...after.keys()]);
    const moved = [...names].filter(
      (name) => /^refs\/(heads|tags)\//.test(name) && before.get(name) !== after.get(name),
    );
    // GitHub tells nothing of more than three tags at once.
    const many = moved.filter((name) => name.startsWith('refs/tags/')).length > 3;
    for (const ref of moved) {
      if (many && ref.startsWith('refs/tags/')) continue;
      this.webhooks.emit(
        'push',
        await pushEvent(this, { ref, before: before.get(ref), after: after.get(ref), by }),
      );
    }
    for (const ref of moved)
      if (ref.startsWith('refs/heads/')) await this.#followPulls(ref.slice(11), after.get(ref), by);
  }

  async #followPulls(branch: string, sha: string | undefined, by: string): Promise<void> {
    for (const pull of this.pulls) {
      if (pull.state === 'closed') continue;
      if (pull.base.ref === branch && sha) {
        if (await this.bare.contains(sha, pull.head.sha)) await this.#merged(pull, sha, by);
        else pull.base.sha = sha;
      } else if (pull.head.ref === branch && pull.head.repository === this.fullName) {
        if (!sha) await this.closePull(pull, by);
        else {
          const before = pull.head.sha;
          pull.head.sha = sha;
          await this.keepPullRef(pull);
          await this.tellPull(pull, 'synchronize', by, { before, after: sha });
        }
      }
    }
  }

  /** A pull request is merged as soon as its head is in its base, however it came there. */
  async #merged(pull: Pull, sha: string, by: string): Promise<void> {
    pull.merged_at ??= isoNow();
    pull.merge_commit_sha ??= sha;
    await this.closePull(pull, by);
  }

  async closePull(pull: Pull, by: string): Promise<void> {
    pull.state = 'closed';
    await this.tellPull(pull, 'closed', by);
  }

  /** GitHub keeps `refs/pull/N/head`, of forks too. */
  async keepPullRef(pull: Pull): Promise<void> {
    await this.bare.git('update-ref', `refs/pull/${pull.number}/head`, pull.head.sha);
  }

  async tellPull(pull: Pull, action: string, by: string, more: object = {}): Promise<void> {
    this.webhooks.emit('pull_request', { ...(await pullRequestEvent(this, pull, action, by)), ...more });
  }
}
