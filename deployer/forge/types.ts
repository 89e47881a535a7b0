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
      message: string;
      deployment: string;
    };

export type StatusState = 'pending' | 'success' | 'failure' | 'error';

/** The place where the branches live: the local bare repository or GitHub. */
export interface Forge {
  /** For people: `GitHub owner/name` or the path of the local repository. */
  readonly name: string;
  /** What git fetches from, and the environment and configuration that carry the credentials (never in the URL). */
  readonly remote: { url: string; env: Readonly<Record<string, string>> };
  /** Sends one report; may be called again with the same one after a crash and must then have no second effect. */
  send(report: Report): Promise<void>;
  /**
   * Merges `head` into `base` as a maintainer would and returns the resulting commit; the present head when there is nothing to merge.
   * @throws FailedError on a conflict
   */
  merge(request: { base: string; head: string; message: string }): Promise<string>;
  /** The tags' names on the forge. */
  tags(): Promise<string[]>;
}

/** Thrown by `send`: whether and when to try again. */
export class ForgeError extends Error {
  override name = 'ForgeError';
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options: { retryable: boolean; retryAfterMs?: number; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
}
