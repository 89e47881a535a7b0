import { GitError, gitText, type GitCall } from './git.ts';
import { createLocks } from './locks.ts';
import { mergeCommits } from './merge.ts';
import { isBranchName, isObjectId, isTagName, isTreePath } from './names.ts';
import { ObjectServer } from './object-server.ts';
import { filesOf, parseCommit, parseLogged, readObjects } from './objects.ts';
import { fetchFrom, protocolOfRemote } from './remote.ts';
import { createRepository, ensureRepository, isSound, objectFormat, tidy } from './repository.ts';
import type { Remote } from '../forge/types.ts';
import type { Commit, GitObject, LoggedCommit, Merged, Mirror } from './types.ts';

export interface MirrorOptions {
  /** Where the bare repository is kept; made when absent, made anew when unusable. */
  directory: string;
  /** See `Forge.remote`. */
  remote: Remote;
  /** Milliseconds for one fetch, 5 minutes by default. */
  timeoutMs?: number;
}

/** What a fetch found is taken as still so for this long, where the forge shows that nothing was written since. */
const FRESH_MS = 5000;

/** The mirror, opened without talking to the forge: what was fetched earlier is there at once. */
export async function openMirror(options: MirrorOptions): Promise<Mirror> {
  protocolOfRemote(options.remote);
  await ensureRepository(options.directory);
  return new BareMirror(options);
}

const REFSPECS = ['+refs/heads/*:refs/forge/heads/*', '+refs/tags/*:refs/forge/tags/*'];

class BareMirror implements Mirror {
  readonly #options: MirrorOptions;
  readonly #call: GitCall & { repository: string };
  readonly #objects: ObjectServer;
  readonly #locks = createLocks();
  /** Whether to look for damage: when reading went wrong, and once in a row of failed fetches. */
  #soundness: 'assumed' | 'doubted' | 'proven' = 'assumed';
  /** As of the last fetch, once they were asked for: nothing else moves them. */
  #heads: ReadonlyMap<string, string> | null = null;
  /** How many fetches have begun or ended. */
  #fetches = 0;
  /** What the forge showed before the last fetch. */
  #fetched: { state: string; at: number } | null = null;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#call = { repository: options.directory };
    this.#objects = new ObjectServer(options.directory);
  }

  async fetch(signal?: AbortSignal): Promise<void> {
    await this.#locks.run('fetch', () => this.#fetchUnlessFresh(signal), signal);
  }

  async branches(): Promise<Map<string, string>> {
    const fetches = this.#fetches;
    const heads = this.#heads ?? (await this.#readHeads());
    if (fetches === this.#fetches) this.#heads = heads;
    return new Map(heads);
  }

  async #readHeads(): Promise<Map<string, string>> {
    const format = '--format=%(objectname) %(refname)';
    const text = await this.#reading(gitText(['for-each-ref', format, 'refs/forge/heads/'], this.#call));
    const rows = text.split('\n').flatMap((line): [string, string][] => {
      const match = /^([0-9a-f]+) refs\/forge\/heads\/(.+)$/.exec(line);
      return match?.[1] && match[2] && isBranchName(match[2]) ? [[match[2], match[1]]] : [];
    });
    return new Map(rows);
  }

  async resolve(reference: Parameters<Mirror['resolve']>[0]): Promise<Commit | null> {
    const name = objectName(reference);
    const object = name && (await this.object(`${name}^{commit}`));
    return object ? parseCommit(object) : null;
  }

  async read(commit: string, path: string): Promise<string | null> {
    if (!isObjectId(commit) || !isTreePath(path)) return null;
    const object = await this.object(`${commit}:${path}`);
    return object?.type === 'blob' ? object.data.toString('utf8') : null;
  }

  async list(commit: string, directory: string): Promise<string[]> {
    if (!isObjectId(commit) || !isTreePath(directory)) return [];
    const object = await this.object(`${commit}:${directory}`);
    return object?.type === 'tree' ? filesOf(object) : [];
  }

  async changed(from: string, to: string): Promise<string[]> {
    if (from === to || ![from, to].every(isObjectId)) return [];
    const args = ['diff-tree', '-r', '-z', '--no-renames', '--name-only', from, to];
    const paths = await gitText(args, this.#call).catch((error: unknown) => {
      if (error instanceof GitError) return '';
      throw error;
    });
    return paths.split('\0').filter(Boolean);
  }

  async log({ from, to, most }: Parameters<Mirror['log']>[0]): Promise<LoggedCommit[]> {
    if (!isObjectId(to)) return [];
    const only = from === null ? null : await this.#onlyCommit(from, to);
    if (only) return [only];
    const [known] =
      from !== null && isObjectId(from) ? await readObjects([`${from}^{commit}`], this.#call) : [];
    const range = known ? [`--max-count=${most}`, to, `^${known.id}`] : ['--max-count=1', to];
    const args = ['log', '-z', '--topo-order', '--encoding=UTF-8', '--format=%H%n%P%n%B', ...range];
    const text = await this.#reading(gitText(args, this.#call));
    return text.split('\0').flatMap((entry) => {
      const [commit = '', parents = '', ...message] = entry.split('\n');
      return commit === ''
        ? []
        : [{ commit, parents: parents.split(' ').filter(Boolean), message: message.join('\n') }];
    });
  }

  async mergeTree(ours: string, theirs: string): Promise<Merged> {
    if (![ours, theirs].every(isObjectId)) throw new TypeError('mergeTree takes commit ids');
    return await this.#reading(mergeCommits(this.#options.directory, ours, theirs));
  }

  /** Most often one commit follows what is live: the object alone says so. null: git has to walk. */
  async #onlyCommit(from: string, to: string): Promise<LoggedCommit | null> {
    const object = await this.object(`${to}^{commit}`);
    const commit = object && parseLogged(object);
    return commit?.parents.length === 1 && commit.parents[0] === from ? commit : null;
  }

  object(name: string): Promise<GitObject | null> {
    return this.#reading(this.#objects.find(name));
  }

  async #reading<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#soundness = 'doubted';
      throw error;
    }
  }

  /** A push is told by the branch itself, by its hook and by who deploys it: one of them fetches. */
  async #fetchUnlessFresh(signal: AbortSignal | undefined): Promise<void> {
    // Before the fetch: what is written meanwhile makes the next one fetch again.
    const state = this.#options.remote.state?.() ?? null;
    const at = performance.now();
    const last = this.#fetched;
    const isFresh = state !== null && state === last?.state && at - last.at < FRESH_MS;
    if (isFresh && this.#soundness === 'assumed') return;
    this.#fetched = null;
    this.#moveHeads();
    await this.#fetchOrRenew(signal).finally(() => this.#moveHeads());
    if (state !== null) this.#fetched = { state, at };
  }

  #moveHeads(): void {
    this.#fetches += 1;
    this.#heads = null;
  }

  /** A mirror is only a copy: when it is damaged, it is made anew from the forge. */
  async #fetchOrRenew(signal: AbortSignal | undefined): Promise<void> {
    if (this.#soundness === 'doubted') await this.#renewIfDamaged();
    try {
      await this.#fetch(signal);
    } catch (error) {
      if (!(error instanceof GitError) || !(await this.#renewedAfter(error))) throw error;
      await this.#fetch(signal);
    }
    this.#soundness = 'assumed';
    // It would keep what was packed anew on disk.
    if (await tidy(this.#options.directory)) this.#objects.end();
  }

  async #fetch(signal: AbortSignal | undefined): Promise<void> {
    const fetched = fetchFrom(this.#options.remote, REFSPECS, {
      ...this.#call,
      signal,
      timeoutMs: this.#options.timeoutMs ?? 300_000,
    });
    // What was fetched is read next.
    this.#objects.warm();
    await fetched;
  }

  async #renewedAfter(error: GitError): Promise<boolean> {
    const format = /mismatched algorithms: .*server (sha\d+)$/.exec(error.message)?.[1];
    if (format) await this.#renew(format);
    else if (error.exitCode === null || this.#soundness === 'proven') return false;
    return format !== undefined || (await this.#renewIfDamaged());
  }

  async #renewIfDamaged(): Promise<boolean> {
    const { directory } = this.#options;
    const renewed = await ensureRepository(directory);
    const damaged = !renewed && !(await isSound(directory));
    if (damaged) await this.#renew(await objectFormat(directory));
    this.#soundness = 'proven';
    return renewed || damaged;
  }

  async #renew(format: string): Promise<void> {
    this.#objects.end();
    await createRepository(this.#options.directory, format);
    await ensureRepository(this.#options.directory);
  }
}

function objectName(reference: Parameters<Mirror['resolve']>[0]): string | null {
  if ('commit' in reference) return isObjectId(reference.commit) ? reference.commit : null;
  if ('tag' in reference) return isTagName(reference.tag) ? `refs/forge/tags/${reference.tag}` : null;
  return isBranchName(reference.branch) ? `refs/forge/heads/${reference.branch}` : null;
}
