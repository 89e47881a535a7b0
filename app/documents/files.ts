import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';

/** Texts by their content: a key never changes its meaning, so a file outlives any rollback of the database. */
export interface FileStore {
  /** Resolves to the storage key once the bytes are safely on disk. */
  put: (bytes: Buffer) => Promise<string>;
  /** @throws when the file is not there or its content is not what its key says */
  get: (key: string) => Promise<Buffer>;
}

export function fileStore(directory: string): FileStore {
  return {
    put: async (bytes) => {
      const key = storageKey(bytes);
      const file = path.join(directory, key);
      if (!(await exists(file))) await writeWhole(file, bytes);
      return key;
    },
    get: async (key) => {
      if (!/^[0-9a-f]{2}\/[0-9a-f]{64}$/.test(key)) throw new Error('malformed storage key');
      const bytes = await readFile(path.join(directory, key));
      if (storageKey(bytes) !== key) throw new Error(`the stored file ${key} is damaged`);
      return bytes;
    },
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function storageKey(bytes: Buffer): string {
  const digest = sha256(bytes);
  return `${digest.slice(0, 2)}/${digest}`;
}

async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const handle = await open(temporary, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
