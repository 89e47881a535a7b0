/** A commit of the forge, in the mirror. */
export interface Commit {
  commit: string;
  tree: string;
  /** First line of the message, at most 200 characters. */
  subject: string;
  author: string;
  parents: string[];
}

/** A commit with its whole message. */
export interface LoggedCommit {
  commit: string;
  parents: string[];
  message: string;
}

/** An object of git's, as it keeps it. */
export interface GitObject {
  id: string;
  type: string;
  data: Buffer;
}

/** The object of a name, null when it is missing. @throws GitError when it is damaged */
export type ReadObject = (name: string) => Promise<GitObject | null>;

/** The deployer's own bare copy of the repository. Names from outside never reach an argv as an option. */
export interface Mirror {
  /** A git object by its id or another name of git's own making. @throws GitError when it is damaged */
  object: ReadObject;
  /** Fetches all branches and tags from the forge; forced updates and deletions are followed. */
  fetch(signal?: AbortSignal): Promise<void>;
  /** Branch name → head commit, as of the last fetch. */
  branches(): Promise<Map<string, string>>;
  /** null when the branch, tag or commit is not in the mirror. `version` accepts a tag. */
  resolve(reference: { branch: string } | { commit: string } | { tag: string }): Promise<Commit | null>;
  /** The text of a file in a commit or tree, or null. */
  read(commit: string, path: string): Promise<string | null>;
  /** Base names of the files directly in a directory of a commit. */
  list(commit: string, directory: string): Promise<string[]>;
  /** Paths of the files in which two trees differ; none when one of them is not there. */
  changed(from: string, to: string): Promise<string[]>;
  /**
   * The commits that `to` has and `from` has not, children before their parents, at most `most`;
   * `to` alone when `from` is null or not in the mirror.
   */
  log(range: { from: string | null; to: string; most: number }): Promise<LoggedCommit[]>;
  /** The tree of merging two commits, or where they conflict. */
  mergeTree(ours: string, theirs: string): Promise<Merged>;
}

export type Merged = { tree: string } | { conflicts: string[] };

/** A release: the files of one tree, read-only, with its dependencies. */
export interface Release {
  tree: string;
  directory: string;
  /** What was done: built now, or there already. */
  reused: boolean;
  dependencies: 'installed' | 'reused' | 'none';
}

export interface Releases {
  /**
   * `releases/<tree>/`, built once and shared by all environments; checked against the tree, byte for byte, when reused.
   * @throws FailedError with the cause (`npm ci exited with 1: …`)
   */
  build(request: {
    commit: string;
    tree: string;
    install: string | undefined;
    log: (line: string) => void;
    signal: AbortSignal;
  }): Promise<Release>;
  /** How a release that was built differs from its tree now, in a line; null: it does not, or there is none. */
  damage(release: { tree: string; install: string | undefined }): Promise<string | null>;
  /** Removes releases and dependencies that none of `keep` (trees) needs. */
  prune(keep: ReadonlySet<string>): Promise<void>;
}
