import { once } from 'node:events';
import { createZstdDecompress } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { create, extract, Parser } from 'tar';
import { compressTo, readFrom } from './compress.ts';
import type { Manifest, StoredFile } from './manifest.ts';

/** How many entries a tar archive holds, directories included, and the bytes of its files. */
export type Contents = NonNullable<Manifest['archive']>;

/** Writes everything below a directory to a new tar archive, compressed by zstd. */
export async function archiveDirectory(
  directory: string,
  to: string,
  signal: AbortSignal,
): Promise<StoredFile & { contents: Contents }> {
  const contents = { entries: 0, bytes: 0 };
  const pack = create(
    {
      cwd: directory,
      strict: true,
      onWriteEntry: ({ type, stat }) => {
        contents.entries++;
        if (type === 'File') contents.bytes += stat?.size ?? 0;
      },
    },
    ['.'],
  );
  const { stored } = await compressTo(to, pack, signal);
  return { ...stored, contents };
}

/** Reads an archive to its end. @throws when it is damaged */
export async function readArchive(file: string): Promise<Contents> {
  const contents = { entries: 0, bytes: 0 };
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      contents.entries++;
      contents.bytes += entry.size;
      entry.resume();
    },
  });
  const ended = once(parser, 'end');
  const read = pipeline(readFrom(file), createZstdDecompress(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) parser.write(chunk);
    parser.end();
  });
  await Promise.all([ended, read]);
  return contents;
}

/** Unpacks an archive into an existing directory. */
export async function extractArchive(file: string, directory: string, signal: AbortSignal): Promise<void> {
  const unpack = extract({ cwd: directory, strict: true });
  await pipeline(readFrom(file), createZstdDecompress(), unpack, { signal });
}
