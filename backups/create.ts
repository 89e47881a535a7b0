import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveDirectory } from './archive.ts';
import { compressTo, measureFile, readFrom } from './compress.ts';
import {
  CONFIG,
  DATABASE,
  FILES,
  GIT_TAG,
  json,
  writeManifest,
  type Kind,
  type Manifest,
} from './manifest.ts';
import { idAt, nextId, temporaryName } from './names.ts';
import { withScratch } from './scratch.ts';
import { copyDatabase, syncToDisk } from './sqlite/copy.ts';
import { digest } from './large.ts';
import { remember, sameAsNewest, stampOf } from './unchanged.ts';
import { verifyFiles } from './verify.ts';

export interface CreateOptions {
  /** Of the environment's backups. */
  directory: string;
  /** The live database; null: the environment has none. */
  databaseFile: string | null;
  /** What a full backup archives; null, or not there: nothing. */
  filesDirectory: string | null;
  kind: Kind;
  /** The environment as deployed, without secrets. */
  config: unknown;
  /** Commit, tree and tag, as text. */
  gitTag: string;
  schemaVersion: string | null;
  now: Date;
}

/** A backup that is there and was verified. */
export interface Backup {
  /** The directory's name: `<YYYY-MM-DD_HH-MM-SS>` in UTC. */
  id: string;
  kind: Kind;
  verifiedAt: string;
}

/**
 * Makes a backup under a temporary name, restores it from what was written, compares it with its manifest, syncs it
 * to disk and only then gives it its name.
 * @throws when it cannot be made or does not verify; then nothing is left of it
 */
export async function createBackup(options: CreateOptions, signal: AbortSignal): Promise<Backup> {
  const { directory } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const id = freeId(directory, options.now);
  const path = join(directory, temporaryName(id));
  try {
    await mkdir(path, { mode: 0o700 });
    const { manifest, database } = await withScratch(directory, (scratch) =>
      write({ ...options, id, path, scratch }, signal),
    );
    await withScratch(directory, (scratch) =>
      mustVerify({ id, path, scratch, copied: database?.plain ?? null }, signal),
    );
    const { kind, verifiedAt } = manifest;
    const name = await publish(directory, path, manifest);
    if (database) remember(directory, { ...database, file: join(directory, name, DATABASE) });
    return { id: name, kind, verifiedAt };
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

interface Draft extends CreateOptions {
  id: string;
  path: string;
  scratch: string;
}

async function write(draft: Draft, signal: AbortSignal) {
  const { id, kind, path, schemaVersion, now } = draft;
  const started = performance.now();
  // The database first: every file that it names is then still to come, or already there.
  const database = await writeDatabase(draft, signal);
  const archived = await writeArchive(draft, signal);
  const manifest: Manifest = {
    format: 1,
    id,
    kind,
    createdAt: now.toISOString(),
    verifiedAt: new Date(now.getTime() + performance.now() - started).toISOString(),
    schemaVersion,
    files: {
      ...(database && { [DATABASE]: database.stored }),
      ...(archived && { [FILES]: archived.file }),
      [CONFIG]: await writeText(join(path, CONFIG), json(draft.config)),
      [GIT_TAG]: await writeText(join(path, GIT_TAG), draft.gitTag),
    },
    tables: database?.tables ?? {},
    archive: archived?.contents ?? null,
  };
  await writeManifest(path, manifest);
  return { manifest, database };
}

async function writeDatabase({ directory, databaseFile, path, scratch }: Draft, signal: AbortSignal) {
  if (databaseFile === null) return null;
  const copy = join(scratch, 'copy.sqlite3');
  const to = join(path, DATABASE);
  const stamp = await stampOf(databaseFile);
  await copyDatabase(databaseFile, copy);
  signal.throwIfAborted();
  const same = await sameAsNewest(directory, { copy, stamp, to });
  if (same) return { ...same, stamp };
  const [tables, { stored, plain }] = await Promise.all([
    digest(copy, signal),
    compressTo(to, readFrom(copy), signal),
  ]);
  return { tables, stored, plain: plain.sha256, stamp };
}

async function writeArchive({ filesDirectory, path }: Draft, signal: AbortSignal) {
  if (filesDirectory === null || !existsSync(filesDirectory)) return null;
  const { contents, ...file } = await archiveDirectory(filesDirectory, join(path, FILES), signal);
  return { contents, file };
}

async function writeText(file: string, text: string) {
  await writeFile(file, text, { flag: 'wx', flush: true });
  return measureFile(file);
}

async function mustVerify(candidate: Parameters<typeof verifyFiles>[0], signal: AbortSignal): Promise<void> {
  const failed = (await verifyFiles(candidate, signal)).find(({ success }) => !success);
  signal.throwIfAborted();
  if (failed === undefined) return;
  throw new Error(
    `the backup does not verify and was dropped: ${failed.name}: expected ${failed.expected}, got ${failed.actual}`,
  );
}

function freeId(directory: string, now: Date): string {
  let id = idAt(now.getTime());
  while (existsSync(join(directory, id))) id = nextId(id);
  return id;
}

/** Gives the backup its name; when somebody else has taken it meanwhile, the next one. */
async function publish(directory: string, path: string, manifest: Manifest): Promise<string> {
  for (let { id } = manifest; ; id = nextId(id)) {
    if (id !== manifest.id) await writeManifest(path, { ...manifest, id });
    await syncToDisk(path);
    if (!(await renamed(path, join(directory, id)))) continue;
    await syncToDisk(directory);
    return id;
  }
}

async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return false;
    throw error;
  }
}
