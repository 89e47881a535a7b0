import { join } from 'node:path';
import { readArchive } from './archive.ts';
import { check, type Check } from './check.ts';
import { decompressTo, measureFile } from './compress.ts';
import { DATABASE, FILES, MANIFEST, readManifest, type Manifest } from './manifest.ts';
import { fingerprint, type Fingerprint } from './sqlite/fingerprint.ts';
import { reading } from './sqlite/open.ts';
import { firstProblem, integrity } from './sqlite/sound.ts';

/** A backup's directory, the id that it has or will have, and an empty directory to restore it in. */
interface Candidate {
  path: string;
  id: string;
  scratch: string;
  /** SHA-256 of the database of which the manifest tells the rows, where that is known: the very same has the same rows. */
  copied?: string | null;
}

/**
 * Whether a backup can be restored to what it was made from: its manifest and every file byte for byte, and the
 * database, restored from the written file, whole and with the rows that the manifest tells.
 */
export async function verifyFiles(candidate: Candidate, signal: AbortSignal): Promise<Check[]> {
  const { path, id } = candidate;
  let manifest: Manifest | null = null;
  const location = join(id, MANIFEST);
  const intact = await check(
    { name: 'manifest', expected: `the manifest of ${id}, unchanged`, location },
    async () => {
      manifest = await readManifest(path);
      return manifest.id === id ? null : `the manifest of ${manifest.id}`;
    },
  );
  return manifest === null ? [intact] : [intact, ...(await verifyContents(candidate, manifest, signal))];
}

async function verifyContents(
  candidate: Candidate,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Check[]> {
  const { path, id } = candidate;
  const checks: Check[] = [];
  for (const [name, file] of Object.entries(manifest.files)) {
    if (file === undefined) continue;
    const { sha256, size } = file;
    const expected = `${size} bytes, SHA-256 ${sha256}`;
    const stored = await check({ name, expected, location: join(id, name) }, async () => {
      const found = await measureFile(join(path, name));
      return found.sha256 === sha256 ? null : `${found.size} bytes, SHA-256 ${found.sha256}`;
    });
    checks.push(stored);
    if (name === DATABASE) checks.push(await verifyDatabase(candidate, manifest, stored.success, signal));
    if (name === FILES) checks.push(await verifyArchive(candidate, manifest, stored.success));
  }
  return checks;
}

const NOT_TRIED = 'not tried, since the file is damaged';

function verifyDatabase(candidate: Candidate, { tables }: Manifest, intact: boolean, signal: AbortSignal) {
  const { path, id, scratch, copied } = candidate;
  const expected = `restores to a sound database with ${Object.keys(tables).length} tables as in the manifest`;
  return check({ name: 'database restores', expected, location: join(id, DATABASE) }, async () => {
    if (!intact) return NOT_TRIED;
    const restored = join(scratch, 'restored.sqlite3');
    const { sha256 } = await decompressTo(join(path, DATABASE), restored, signal);
    const problem = firstProblem(restored, [integrity]);
    if (problem !== null || sha256 === copied) return problem;
    return firstDifference(tables, reading(restored, fingerprint));
  });
}

function firstDifference(expected: Fingerprint, found: Fingerprint): string | null {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  const name = names.find((table) => expected[table]?.digest !== found[table]?.digest);
  if (name === undefined) return null;
  return `the table ${name} has ${found[name]?.rows ?? 'no'} rows and digest ${found[name]?.digest ?? 'none'}`;
}

function verifyArchive({ path, id }: Candidate, { archive }: Manifest, intact: boolean): Promise<Check> {
  const expected = `an archive of ${archive?.entries ?? 0} entries with ${archive?.bytes ?? 0} bytes`;
  return check({ name: 'files restore', expected, location: join(id, FILES) }, async () => {
    if (!intact) return NOT_TRIED;
    const { entries, bytes } = await readArchive(join(path, FILES));
    const same = entries === archive?.entries && bytes === archive.bytes;
    return same ? null : `an archive of ${entries} entries with ${bytes} bytes`;
  });
}
