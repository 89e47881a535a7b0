import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';

/**
 * Everything below a directory, a directory before what it holds. Links are not followed, unlike by
 * `readdir` with `recursive`: what a link leads to is not ours to look at, and certainly not to change.
 */
export function* walk(directory: string): Generator<{ item: Dirent; path: string }> {
  for (const item of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, item.name);
    yield { item, path };
    if (item.isDirectory()) yield* walk(path);
  }
}
