import { git, GitError } from '../../release/git.ts';
import { readObjects } from '../../release/objects.ts';

/** The commit that a ref leads to, or null. `name` is a full ref whose parts were checked. */
export async function headOf(repository: string, name: string): Promise<string | null> {
  const [object] = await readObjects([`${name}^{commit}`], { repository });
  return object?.id ?? null;
}

/** Moves a ref from `from` (null: it is not there) to `to`; false when somebody else moved it meanwhile. */
export async function compareAndSwap(
  repository: string,
  name: string,
  move: { from: string | null; to: string; reason: string },
): Promise<boolean> {
  const from = move.from ?? '0'.repeat(move.to.length);
  try {
    await git(['update-ref', '-m', move.reason, name, move.to, from], { repository });
    return true;
  } catch (error) {
    if (error instanceof GitError && (await headOf(repository, name)) !== move.from) return false;
    throw error;
  }
}

/** Tries a change of a ref again on what is there then, while others keep moving it. */
export async function untilSettled<T>(attempt: () => Promise<T | 'moved'>): Promise<T> {
  for (let tries = 0; tries < 10; tries += 1) {
    const result = await attempt();
    if (result !== 'moved') return result;
  }
  throw new GitError('the branch kept moving: try again', { exitCode: null, stdout: Buffer.of() });
}
