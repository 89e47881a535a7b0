import { hash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** The files of a backup's directory. */
export const MANIFEST = 'manifest.json';
export const DATABASE = 'database.sqlite3.zst';
export const FILES = 'files.tar.zst';
export const CONFIG = 'config.json';
export const GIT_TAG = 'git-tag.txt';

const kind = z.enum(['manual', 'before-deploy', 'database', 'full']);
export type Kind = z.output<typeof kind>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0);
const file = z.strictObject({ sha256, size: count });

const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** The name of the backup's directory. */
  id: z.string(),
  kind,
  createdAt: z.iso.datetime(),
  verifiedAt: z.iso.datetime(),
  schemaVersion: z.string().nullable(),
  /** SHA-256 and size in bytes of every other file of the backup. */
  files: z.strictObject({
    [DATABASE]: file.optional(),
    [FILES]: file.optional(),
    [CONFIG]: file,
    [GIT_TAG]: file,
  }),
  tables: z.record(z.string(), z.strictObject({ rows: count, digest: sha256 })),
  /** What files.tar.zst holds. */
  archive: z.strictObject({ entries: count, bytes: count }).nullable(),
});

/** What a backup is and holds. */
export type Manifest = z.output<typeof manifestSchema>;
export type StoredFile = z.output<typeof file>;

const sealedSchema = manifestSchema.extend({ sha256 });

/** Writes the manifest, synced to disk, with a seal: its last key is the SHA-256 of the text without it. */
export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  await writeFile(join(directory, MANIFEST), seal(manifest), { flush: true });
}

/** @throws an Error that says what is wrong with it, down to a single byte */
export async function readManifest(directory: string): Promise<Manifest> {
  const text = await readFile(join(directory, MANIFEST), 'utf8');
  const { sha256: _, ...manifest } = sealedSchema.parse(JSON.parse(text));
  if (seal(manifest) !== text) throw new Error(`${MANIFEST} is not as it was written`);
  return manifest;
}

function seal(manifest: Manifest): string {
  return json({ ...manifest, sha256: hash('sha256', json(manifest)) });
}

/** JSON as it is written to files: for people to read, always the same text for the same value. */
export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
