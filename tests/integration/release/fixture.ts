import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { runCommand } from '../../../deployer/host/command.ts';
import { splitCommand } from '../../../deployer/host/split-command.ts';
import { removeTree } from '../../../deployer/release/files.ts';
import { createReleases, type ReleasesOptions } from '../../../deployer/release/releases.ts';
import type { Release, Releases } from '../../../deployer/release/types.ts';

const run = promisify(execFile);
const ENV = {
  PATH: process.env['PATH'],
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A Developer',
  GIT_AUTHOR_EMAIL: 'developer@example.org',
  GIT_COMMITTER_NAME: 'A Developer',
  GIT_COMMITTER_EMAIL: 'developer@example.org',
};

/** A directory of this test, gone after it. */
export async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'release-test-'));
  onTestFinished(async () => {
    await removeTree(directory);
    await rm(directory, { recursive: true, force: true });
  });
  return directory;
}

/** git as anybody runs it: what the deployer's own wrapper is tested against. */
export async function plainGit(args: string[], input?: string | Buffer): Promise<string> {
  const running = run('git', args, { env: ENV });
  // git may end without having read it.
  running.child.stdin?.on('error', () => {});
  running.child.stdin?.end(input ?? '');
  return (await running).stdout.trim();
}

/** Content of a file, or an entry made otherwise: a link, a program, any mode and id. */
export type Content = string | Buffer | { link: string } | { program: string } | { mode: string; id: string };

/** A bare repository whose commits are made by plumbing, so that even what `git add` refuses can be in them. */
export class Origin {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  static async create(directory: string, ...options: string[]): Promise<Origin> {
    await plainGit(['init', '-q', '--bare', '-b', 'main', ...options, directory]);
    return new Origin(directory);
  }

  async git(args: string[], input?: string | Buffer): Promise<string> {
    return await plainGit([`--git-dir=${this.directory}`, ...args], input);
  }

  async tree(files: Record<string, Content>): Promise<string> {
    const rows: string[] = [];
    const folders = new Map<string, Record<string, Content>>();
    for (const [path, content] of Object.entries(files)) {
      const [first = '', ...rest] = path.split('/');
      if (rest.length === 0) rows.push(await this.#row(first, content));
      else folders.set(first, { ...folders.get(first), [rest.join('/')]: content });
    }
    for (const [name, inside] of folders) rows.push(`040000 tree ${await this.tree(inside)}\t${name}`);
    return await this.git(['mktree', '-z', '--missing'], rows.map((row) => `${row}\0`).join(''));
  }

  async #row(name: string, content: Content): Promise<string> {
    if (typeof content === 'object' && 'id' in content) {
      return `${content.mode} ${content.mode === '160000' ? 'commit' : 'blob'} ${content.id}\t${name}`;
    }
    const plain = typeof content === 'string' || Buffer.isBuffer(content);
    const text = plain ? content : 'link' in content ? content.link : content.program;
    const mode = plain ? '100644' : 'link' in content ? '120000' : '100755';
    return `${mode} blob ${await this.git(['hash-object', '-w', '--stdin'], text)}\t${name}`;
  }

  /** A commit of these files on a branch (or on none), after the branch's head. */
  async commit(branch: string | null, files: Record<string, Content>, message = 'A change'): Promise<string> {
    const head = branch === null ? '' : await this.head(branch);
    const parents = head ? ['-p', head] : [];
    const commit = await this.git(['commit-tree', ...parents, '-m', message, await this.tree(files)]);
    if (branch !== null) await this.git(['update-ref', `refs/heads/${branch}`, commit]);
    return commit;
  }

  async head(branch: string): Promise<string> {
    return await this.git(['for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`]);
  }

  async treeOf(commit: string): Promise<string> {
    return await this.git(['rev-parse', `${commit}^{tree}`]);
  }
}

/** Releases of an origin, and a shorthand that builds a commit. */
export interface Workshop {
  home: string;
  releases: Releases;
  lines: string[];
  /** Programs that were run, as words. */
  ran: (readonly string[])[];
  build: (commit: string, install?: string, signal?: AbortSignal) => Promise<Release>;
}

export function workshop(origin: Origin, home: string, options: Partial<ReleasesOptions> = {}): Workshop {
  const lines: string[] = [];
  const ran: (readonly string[])[] = [];
  const releases = createReleases({
    home,
    repository: origin.directory,
    runCommand: async (spec) => {
      ran.push(spec.argv);
      return await runCommand(spec);
    },
    splitCommand,
    ...options,
  });
  return {
    home,
    releases,
    lines,
    ran,
    build: async (commit, install, signal = new AbortController().signal) =>
      await releases.build({
        commit,
        tree: await origin.treeOf(commit),
        install,
        log: (line) => lines.push(line),
        signal,
      }),
  };
}
