import { EnvironmentError, parseEnvironment } from '../../environments/parse.ts';
import type { Environment } from '../../environments/schema.ts';
import type { Mirror } from '../release/types.ts';

/** An environment that a branch holds: it exists when the branch that its file names as `branch` holds that file. */
export interface Wanted {
  name: string;
  branch: string;
  head: string;
  /** null when the branch's head says it wrongly; the deployment of that head then tells how. */
  config: Environment | null;
}

/**
 * Reads `environments/*.yaml` from the heads of all branches.
 * @param known environments that exist already keep their branch as long as there is one; it may hand them over, but nobody takes them
 */
export async function discover(
  mirror: Pick<Mirror, 'branches' | 'list' | 'read'>,
  known: ReadonlyMap<string, string>,
): Promise<{ wanted: Wanted[]; problems: string[] }> {
  const found = new Map<string, Wanted>();
  const problems: string[] = [];
  /** Environments whose branch itself names another one. */
  const handedOver = new Map<string, string>();
  const claim = (wanted: Wanted) => {
    const other = found.get(wanted.name);
    if (!other || known.get(wanted.name) === wanted.branch) found.set(wanted.name, wanted);
    if (other)
      problems.push(
        `environment ${wanted.name} is claimed by the branches ${other.branch} and ${wanted.branch}; ${found.get(wanted.name)?.branch} keeps it`,
      );
  };
  const look: Look = { heads: new Map(), texts: new Map() };
  const heads = await mirror.branches();
  for (const [branch, head] of [...heads].toSorted(([a], [b]) => a.localeCompare(b))) {
    for (const { name, config } of await filesAt(mirror, head, look)) {
      if (config instanceof EnvironmentError) {
        problems.push(`branch ${branch}: ${config.message}`);
        if (known.get(name) === branch) claim({ name, branch, head, config: null });
      } else if (config.branch === branch) claim({ name, branch, head, config });
      else if (known.get(name) === branch) handedOver.set(name, config.branch);
    }
  }
  lastLooks.set(mirror, look);
  const claimed = new Set<string>();
  for (const { name, branch } of found.values()) {
    const holder = known.get(name);
    if (holder === undefined || holder === branch || !heads.has(holder)) continue;
    if (handedOver.get(name) === branch) continue;
    found.delete(name);
    claimed.add(name);
    problems.push(
      `branch ${branch} claims the environment ${name} of branch ${holder}, which does not hold its file any more`,
    );
  }
  for (const [name, branch] of known) {
    if (found.has(name) || claimed.has(name)) continue;
    const gone = heads.has(branch)
      ? `its branch ${branch} does not hold environments/${name}.yaml any more`
      : `its branch ${branch} is gone`;
    problems.push(`environment ${name}: ${gone}; what is live stays until deployer remove ${name}`);
  }
  return { wanted: inOrder([...found.values()]), problems };
}

type Parsed = Environment | EnvironmentError;

interface EnvironmentText {
  name: string;
  text: string;
}

/** What was read: by a branch's head, and by a file's name and text. */
interface Look {
  heads: Map<string, readonly EnvironmentText[]>;
  texts: Map<string, Parsed>;
}

/** Of each mirror. Most heads stay from one look to the next, and most branches hold the same files. */
const lastLooks = new WeakMap<object, Look>();

async function filesAt(
  mirror: Pick<Mirror, 'list' | 'read'>,
  head: string,
  look: Look,
): Promise<{ name: string; config: Parsed }[]> {
  const last = lastLooks.get(mirror);
  const files = look.heads.get(head) ?? last?.heads.get(head) ?? (await readFiles(mirror, head));
  const parsed = files.map(({ name, text }) => {
    const key = `${name}\n${text}`;
    const config = look.texts.get(key) ?? last?.texts.get(key) ?? parse(text, pathOf(name));
    look.texts.set(key, config);
    return { name, config };
  });
  // What could not be read, a damaged mirror may have had no more: it is looked for again.
  if (files.length > 0 && files.every(({ text }) => text !== '')) look.heads.set(head, files);
  return parsed;
}

const pathOf = (name: string) => `environments/${name}.yaml`;

async function readFiles(mirror: Pick<Mirror, 'list' | 'read'>, head: string): Promise<EnvironmentText[]> {
  const found: EnvironmentText[] = [];
  for (const file of await mirror.list(head, 'environments')) {
    const name = /^([a-z][a-z0-9-]{0,30})\.yaml$/.exec(file)?.[1];
    if (name) found.push({ name, text: (await mirror.read(head, pathOf(name))) ?? '' });
  }
  return found;
}

function parse(text: string, path: string): Parsed {
  try {
    return parseEnvironment(text, path);
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
}

/** Those that others require come first, so that one look finds their verification under way. */
function inOrder(all: Wanted[]): Wanted[] {
  const depth = (wanted: Wanted, seen: readonly string[] = []): number => {
    const required = all.find(({ name }) => name === wanted.config?.requires);
    return required && !seen.includes(wanted.name) ? 1 + depth(required, [...seen, wanted.name]) : 0;
  };
  return all.toSorted((a, b) => depth(a) - depth(b));
}
