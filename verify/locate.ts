import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The tree that this program belongs to; locations are relative to it. */
export const root = path.dirname(import.meta.dirname);

/** `file:line` of the first line under `folder` (relative to the tree) that holds `text`, or null. Slow: for faults only. */
export function locate(folder: string, text: string): string | null {
  for (const file of sourcesOf(folder)) {
    const index = readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text));
    if (index >= 0) return `${file}:${index + 1}`;
  }
  return null;
}

function sourcesOf(folder: string): string[] {
  try {
    const entries = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
    return entries
      .filter((entry) => entry.endsWith('.ts'))
      .sort()
      .map((entry) => path.join(folder, entry));
  } catch {
    return []; // a release may come without that folder
  }
}
