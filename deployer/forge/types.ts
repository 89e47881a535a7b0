import type { Check } from '../deployment/model.ts';

/** What the deployer tells the forge. Each is stored in the outbox in the transaction of the state that it reports. */
export type Report =
  | {
      type: 'status';
      commit: string;
      context: string;
      state: StatusState;
      description: string;
      targetUrl: string;
      at: string;
    }
  | { type: 'tag'; commit: string; name: string; message: string }
  | {
      type: 'revert';
      commit: string;
      branch: string;
      environment: string;
      how: 'pull-request' | 'push';
      /** Subject, empty line, report: of the reverting commit. */
      message: string;
      /** The report as Markdown, where the forge shows that. */
      text: string;
      deployment: string;
      /** The deployment's page. */
      targetUrl: string;
      at: string;
    }
  | {
      /** The forge's own record of a deployment, made with its first state and found again by our id. */
      type: 'deployment';
      deployment: string;
      commit: string;
      environment: string;
      state: DeploymentState;
      description: string;
      /** It serves users, behind a gate: GitHub then leaves it to us to end what was there before. */
      production: boolean;
      /** Where the environment is visited, if it says so. */
      environmentUrl: string | null;
      /** The deployment's page. */
      logUrl: string;
      at: string;
    }
  | {
      /** One comment for each key and pull request, updated in place. */
      type: 'comment';
      /** A pull request's number, or the commit that merged pull requests brought: each of them, if any. */
      on: { pull: number } | { commit: string };
      /** What it is about: `rehearse/prod`. */
      key: string;
      /** Markdown. */
      body: string;
      at: string;
    };

export type StatusState = 'pending' | 'success' | 'failure' | 'error';
export type DeploymentState = 'queued' | 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

/** What git fetches from and pushes to. */
export interface Remote {
  /** An absolute path, or an http(s) address without credentials. */
  readonly url: string;
  /** How git proves who it is, asked for before each use since tokens are renewed; absent: it need not. */
  access?: () => Promise<Access>;
  /** Told how each use has ended: git's sentence when it failed. */
  used?: (failure: string | null) => void;
  /** A text that is another one once a branch or tag was written, where that costs next to nothing; null: not known. */
  state?: () => string | null;
}

export interface Access {
  /** Configuration for git's environment: nothing in it is secret. */
  env: Readonly<Record<string, string>>;
  /** What git's credential helper reads from file descriptor 3. */
  secret: string;
}

/** An open pull request from a branch of the same repository. */
export interface Pull {
  number: number;
  title: string;
  /** The branch that it comes from, and its head commit. */
  head: string;
  commit: string;
  /** The branch that it is to be merged into. */
  base: string;
  url: string;
}

/** Why the forge cannot be used as it should be, and what a person can do about it. */
export interface Trouble {
  /** ISO 8601. */
  since: string;
  what: string;
  mend: string;
}

/** A repository as a webhook's delivery names it. */
export interface Named {
  full_name: string;
  id?: number | undefined;
}

/** The place where the branches live: the local bare repository or GitHub. */
export interface Forge {
  /** For people: `GitHub owner/name` or the path of the local repository. */
  readonly name: string;
  readonly remote: Remote;
  /** Sends one report; may be called again with the same one after a crash and must then have no second effect. */
  send(report: Report): Promise<void>;
  /**
   * Merges `head` into `base` as a maintainer would and returns the resulting commit; the present head when there is nothing to merge.
   * @throws FailedError on a conflict
   */
  merge(request: { base: string; head: string; message: string }): Promise<string>;
  /** The tags' names on the forge. */
  tags(): Promise<string[]>;
  /**
   * Open pull requests from branches of the same repository; those of forks are left out.
   * @throws ForgeError when they cannot be listed
   */
  pulls(): Promise<Pull[]>;
  /** What keeps the forge from being used now; null when nothing is known to. */
  trouble(): Trouble | null;
  /** What `doctor` is to know: can it be reached, with these credentials, and may they do what is needed? */
  checks(): Promise<Check[]>;
  /** Whether a delivery is of this repository, whatever it is called by now; absent: there is but one. */
  owns?: (repository: Named) => boolean;
  /**
   * Asks the forge to send again what it could not deliver to our webhook since then.
   * @returns how many deliveries it was asked for; 0 where it does not offer this or does not permit it (see `trouble`)
   */
  redeliverFailed(since: Date): Promise<number>;
  /** Calls back when a branch was written, sooner than a webhook comes; absent: webhooks alone tell. Returns what ends it. */
  watchBranches?(changed: () => void): () => void;
  /** Where the forge shows a commit to people; absent: nowhere. */
  commitUrl?: (commit: string) => string;
  /** Ends what is under way; nothing is asked afterwards. */
  close?(): void;
}

/** Thrown by `send`: whether and when to try again. */
export class ForgeError extends Error {
  override name = 'ForgeError';
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** Nothing at all is to be sent before then, such as while a rate limit is exhausted. */
  readonly pausesAll: boolean;
  constructor(
    message: string,
    options: { retryable: boolean; retryAfterMs?: number; pausesAll?: boolean; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.pausesAll = options.pausesAll ?? false;
  }
}
