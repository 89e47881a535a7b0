import type { Client } from './client.ts';
import type { Reader } from './database/reader.ts';
import type { TableDigest } from './digest.ts';

/** What a suite may use. */
export interface Context {
  client: Client;
  /** Whether the instance is asked directly, past the front door. */
  direct: boolean;
  /** Opened when the first suite asks for it. @throws when it cannot be opened */
  reader: () => Promise<Reader>;
  baseline: Baseline | null;
  /** What should be running; empty: not known. */
  release: { commit: string; deploymentId: string };
}

export type Baseline = Record<string, TableDigest>;
