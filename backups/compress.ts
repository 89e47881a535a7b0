import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { StoredFile } from './manifest.ts';

const CHUNK = 1024 * 1024;
/** What may wait for the disk while more is made. */
const AHEAD = 8 * CHUNK;

/** Writes bytes to a new file, compressed by zstd with a checksum, synced to disk. `plain`: what they were. */
export async function compressTo(
  file: string,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ stored: StoredFile; plain: StoredFile }> {
  const params = { [constants.ZSTD_c_checksumFlag]: 1 };
  const [stored, plain] = [new Measure(), new Measure()];
  await pipeline(
    source,
    (chunks: AsyncIterable<Uint8Array>) => plain.pass(chunks),
    createZstdCompress({ params, chunkSize: CHUNK }),
    (chunks: AsyncIterable<Uint8Array>) => stored.pass(chunks),
    createWriteStream(file, { flags: 'wx', flush: true, highWaterMark: AHEAD }),
    { signal },
  );
  return { stored: stored.result(), plain: plain.result() };
}

export const readFrom = (file: string): AsyncIterable<Buffer> =>
  createReadStream(file, { highWaterMark: CHUNK });

/** Decompresses a file to a new one; not synced. Returns what was written. */
export async function decompressTo(file: string, to: string, signal: AbortSignal): Promise<StoredFile> {
  const measure = new Measure();
  await pipeline(
    readFrom(file),
    createZstdDecompress({ chunkSize: CHUNK }),
    (chunks: AsyncIterable<Uint8Array>) => measure.pass(chunks),
    createWriteStream(to, { flags: 'wx', highWaterMark: AHEAD }),
    { signal },
  );
  return measure.result();
}

/** SHA-256 and size of a file. */
export async function measureFile(file: string): Promise<StoredFile> {
  const measure = new Measure();
  for await (const chunk of readFrom(file)) measure.add(chunk);
  return measure.result();
}

class Measure {
  readonly #hash = createHash('sha256');
  #size = 0;

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  async *pass(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.add(chunk);
      yield chunk;
    }
  }

  result(): StoredFile {
    return { sha256: this.#hash.digest('hex'), size: this.#size };
  }
}
