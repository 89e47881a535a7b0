import { execFile } from 'node:child_process';

/** The repository itself: real git on a bare directory. */

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A Maintainer',
  GIT_AUTHOR_EMAIL: 'maintainer@example.org',
  GIT_COMMITTER_NAME: 'GitHub',
  GIT_COMMITTER_EMAIL: 'noreply@github.com',
  LC_ALL: 'C',
};

export interface BareCommit {
  sha: string;
  tree: string;
  parents: string[];
  message: string;
  author: Signature;
  committer: Signature;
}

interface Signature {
  name: string;
  email: string;
  date: string;
}

/** One bare repository. */
export class Bare {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  static async create(directory: string): Promise<Bare> {
    const bare = new Bare(directory);
    await run(['init', '-q', '--bare', '-b', 'main', directory]);
    await bare.git('config', 'http.receivepack', 'true');
    // GitHub hands out any commit that it has, not only the heads.
    await bare.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
    return bare;
  }

  git(...args: string[]): Promise<string> {
    return run([`--git-dir=${this.directory}`, ...args]);
  }

  /** What git says no to is undefined. */
  async maybe(...args: string[]): Promise<string | undefined> {
    return await this.git(...args).catch(() => undefined);
  }

  /** Full name → object id, tags not peeled. */
  async refs(): Promise<Map<string, string>> {
    const text = await this.git('for-each-ref', '--format=%(refname) %(objectname)');
    return new Map(
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [name = '', sha = ''] = line.split(' ');
          return [name, sha];
        }),
    );
  }

  branch(name: string): Promise<string | undefined> {
    return this.maybe('rev-parse', '--verify', '-q', `refs/heads/${name}`);
  }

  typeOf(sha: string): Promise<string | undefined> {
    return this.maybe('cat-file', '-t', sha);
  }

  /** A branch, a tag or a commit id, as GitHub resolves a `ref`. */
  async commit(ref: string): Promise<BareCommit | undefined> {
    for (const name of [
      `refs/heads/${ref}`,
      `refs/tags/${ref}`,
      ref.replace(/^(heads|tags)\//, 'refs/$1/'),
      ref,
    ]) {
      const sha = await this.maybe('rev-parse', '--verify', '-q', '--end-of-options', `${name}^{commit}`);
      if (sha) return await this.read(sha);
    }
    return undefined;
  }

  async contains(descendant: string, ancestor: string): Promise<boolean> {
    return (await this.maybe('merge-base', '--is-ancestor', ancestor, descendant)) !== undefined;
  }

  /** Newest first. */
  async log(range: string, ...options: string[]): Promise<BareCommit[]> {
    const ids = (await this.git('rev-list', ...options, range)).split('\n').filter(Boolean);
    return await Promise.all(ids.map((id) => this.read(id)));
  }

  /** The tree of merging both, or undefined when they conflict. */
  mergeTree(ours: string, theirs: string): Promise<string | undefined> {
    return this.maybe('merge-tree', '--write-tree', '--no-messages', ours, theirs);
  }

  commitTree(tree: string, parents: string[], message: string): Promise<string> {
    const args = parents.flatMap((parent) => ['-p', parent]);
    return run([`--git-dir=${this.directory}`, 'commit-tree', tree, ...args], `${message}\n`);
  }

  tagObject(tag: {
    name: string;
    object: string;
    type: string;
    tagger: string;
    message: string;
  }): Promise<string> {
    const lines = [`object ${tag.object}`, `type ${tag.type}`, `tag ${tag.name}`, `tagger ${tag.tagger}`];
    return run([`--git-dir=${this.directory}`, 'mktag'], `${lines.join('\n')}\n\n${tag.message}\n`);
  }

  private async read(sha: string): Promise<BareCommit> {
    const format = '%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B';
    const text = await this.git('show', '-s', `--format=${format}`, sha);
    const [tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', message = ''] =
      text.split('\0');
    return {
      sha,
      tree,
      parents: parents.split(' ').filter(Boolean),
      message: message.trimEnd(),
      author: { name: an, email: ae, date: ad },
      committer: { name: cn, email: ce, date: cd },
    };
  }
}

function run(args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('git', args, { env: ENVIRONMENT, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`git ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout.trimEnd());
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
