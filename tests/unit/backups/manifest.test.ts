import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MANIFEST, readManifest, writeManifest, type Manifest } from '../../../backups/manifest.ts';

const directory = mkdtempSync(join(tmpdir(), 'manifest-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = { sha256: 'a'.repeat(64), size: 1 };
const manifest: Manifest = {
  format: 1,
  id: '2026-11-20_07-08-09',
  kind: 'manual',
  createdAt: '2026-11-20T07:08:09.000Z',
  verifiedAt: '2026-11-20T07:08:09.500Z',
  schemaVersion: null,
  files: { 'config.json': file, 'git-tag.txt': file },
  tables: { users: { rows: 3, digest: 'b'.repeat(64) } },
  archive: null,
};

describe('the manifest', () => {
  let text: Buffer;
  beforeAll(async () => {
    await writeManifest(directory, manifest);
    text = readFileSync(join(directory, MANIFEST));
  });

  test('is read as it was written', async () => {
    await expect(readManifest(directory)).resolves.toEqual(manifest);
  });

  test('tells any byte that was changed or lost', async () => {
    for (let position = 0; position < text.length; position++) {
      const flipped = Buffer.from(text);
      flipped[position] = (flipped[position] ?? 0) ^ (1 << (position % 8));
      for (const damaged of [flipped, text.subarray(0, position)]) {
        writeFileSync(join(directory, MANIFEST), damaged);
        await expect(readManifest(directory)).rejects.toBeInstanceOf(Error);
      }
    }
  });
});
