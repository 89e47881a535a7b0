import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

/** A ref is written as a lock, then renamed: both within this many milliseconds. */
const SAME_PUSH_MS = 2;

/**
 * Calls back as soon as a branch of the repository was written, some 100 ms before its hook could tell. Only a hint:
 * branches with `/` in their names, and repositories that keep their refs in other ways, are told by the hook alone.
 * @returns ends it
 */
export function watchBranches(origin: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watcherOf(join(origin, 'refs', 'heads'), (name) => {
    if (name?.endsWith('.lock')) return;
    clearTimeout(timer);
    timer = setTimeout(changed, SAME_PUSH_MS);
  });
  const end = () => {
    clearTimeout(timer);
    watcher?.close();
  };
  watcher?.on('error', end);
  return end;
}

/** null: the machine has no watch left to give. */
function watcherOf(directory: string, changed: (name: string | null) => void): FSWatcher | null {
  try {
    return watch(directory, { persistent: false }, (_event, name) => changed(name));
  } catch {
    return null;
  }
}
