import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { Commit, Mirror } from '../../../deployer/release/types.ts';

const sha = (text: string) => createHash('sha1').update(text).digest('hex');

/** The text of an environment's file. */
export const environment = (name: string, branch: string, more: object = {}): string =>
  stringify({ name, branch, listen: '127.0.0.1:0', commands: { start: 'node server.js' }, ...more });

/** A forge and its mirror in memory: branches are moved at once, and seen after a fetch. */
export class FakeMirror implements Mirror {
  readonly forge = new Map<string, string>();
  fetches = 0;
  /** What a fetch waits for. */
  fetching: () => Promise<void> = async () => {};
  #fetched = new Map<string, string>();
  readonly #files = new Map<string, Record<string, string>>();

  /** A commit with files in `environments/`; the same message and files are the same commit. */
  push(branch: string, message: string, files: Record<string, string>): string {
    const commit = sha(message + JSON.stringify(files));
    this.#files.set(commit, files);
    this.forge.set(branch, commit);
    return commit;
  }

  treeOf(commit: string): string {
    return sha(JSON.stringify(this.#files.get(commit)));
  }

  async fetch(): Promise<void> {
    this.fetches += 1;
    await this.fetching();
    this.#fetched = new Map(this.forge);
  }

  async branches(): Promise<Map<string, string>> {
    return new Map(this.#fetched);
  }

  async resolve(reference: Parameters<Mirror['resolve']>[0]): Promise<Commit | null> {
    const head = 'branch' in reference ? (await this.branches()).get(reference.branch) : undefined;
    const commit = 'commit' in reference ? reference.commit : (head ?? '');
    if (!this.#files.has(commit)) return null;
    return { commit, tree: this.treeOf(commit), subject: '', author: '', parents: [] };
  }

  async read(commit: string, path: string): Promise<string | null> {
    return this.#files.get(commit)?.[path.replace('environments/', '')] ?? null;
  }

  async list(commit: string): Promise<string[]> {
    return Object.keys(this.#files.get(commit) ?? {});
  }

  async object(): Promise<never> {
    throw new Error('the reconciler reads commits and files');
  }

  async changed(): Promise<never> {
    throw new Error('the reconciler does not compare trees');
  }

  async log(): Promise<never> {
    throw new Error('the reconciler does not read messages');
  }

  async mergeTree(): Promise<never> {
    throw new Error('the reconciler does not merge');
  }
}
