import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeAtomically } from './files.ts';
import { isObjectId } from './names.ts';
import { treeId } from './tree.ts';

/** What is known of a release, in a file beside its directory. Written last: without it a release does not exist. */
const schema = z.strictObject({
  tree: z.string().refine(isObjectId),
  install: z.string().nullable(),
  /** What the installed dependencies were made for: platform, architecture, ABI. */
  runtime: z.string(),
  /** Name in `dependencies/`, null when none are linked. */
  dependencies: z.string().nullable(),
  /** The install command ran in the release itself: files beside the tree's are its work. */
  inPlace: z.boolean(),
  entries: z.array(
    z.strictObject({ mode: z.enum(['100644', '100755', '120000']), id: z.string(), path: z.string() }),
  ),
});
export type Manifest = z.infer<typeof schema>;

/** null when there is none, or none that can be believed: its entries must make the very tree. */
export async function readManifest(file: string): Promise<Manifest | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  const manifest = schema.safeParse(parseJson(text)).data;
  return manifest && treeId(manifest.entries, manifest.tree) === manifest.tree ? manifest : null;
}

export async function writeManifest(file: string, manifest: Manifest): Promise<void> {
  await writeAtomically(file, JSON.stringify(manifest));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
