import { existsSync } from 'node:fs';
import { mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncToDisk } from '../../../backups/sqlite/copy.ts';

/** `g20261120-194056-123`: when it was made, in UTC to the millisecond. Sorted as text they are in order of age. */
const GENERATION_ID = /^g\d{8}-\d{6}-\d{3}$/;
const TEMPORARY = '.tmp-';
const CURRENT = 'current';

export const isGenerationId = (name: string): boolean => GENERATION_ID.test(name);

/** Whether a generation has to be there after a power cut. */
export type Publishing = 'durable' | 'passing';

/** A generation that is being made. */
export interface Draft {
  directory: string;
  /** Gives it its name, an id: once it is on disk, unless it passes. */
  publish(how: Publishing): Promise<string>;
  /** Removes what was not published. */
  drop(): Promise<void>;
}

/** The directory of an environment's generations: what is in it, and how something new gets in whole or not at all. */
export class GenerationDirectory {
  readonly path: string;
  /** Temporary directories that this process is filling. */
  readonly #filling = new Set<string>();

  constructor(path: string) {
    this.path = path;
  }

  pathOf(id: string): string {
    return join(this.path, id);
  }

  has(id: string): boolean {
    return isGenerationId(id) && existsSync(this.pathOf(id));
  }

  /** Ids, oldest first. */
  async list(): Promise<string[]> {
    return (await this.#entries()).filter(isGenerationId).sort();
  }

  /** The id that `current` points to; null when there is none. */
  async current(): Promise<string | null> {
    return readlink(join(this.path, CURRENT)).catch(ifMissing(null));
  }

  /** Points `current` to a generation, by rename. */
  async setCurrent(id: string): Promise<void> {
    const link = join(this.path, `${TEMPORARY}${CURRENT}`);
    await rm(link, { force: true });
    await symlink(id, link);
    await rename(link, join(this.path, CURRENT));
    await syncToDisk(this.path);
  }

  /** Makes a generation of what `fill` writes to the directory that it gets. */
  async add(fill: (directory: string) => Promise<void>, how: Publishing): Promise<string> {
    const draft = await this.begin();
    try {
      await fill(draft.directory);
      return await draft.publish(how);
    } finally {
      await draft.drop();
    }
  }

  /** An empty directory under a temporary name, to be filled. */
  async begin(): Promise<Draft> {
    await mkdir(this.path, { recursive: true });
    const temporary = `${TEMPORARY}${process.pid}-${crypto.randomUUID()}`;
    this.#filling.add(temporary);
    const directory = join(this.path, temporary);
    await mkdir(directory);
    return {
      directory,
      publish: async (how) => {
        if (how === 'passing') return this.#publish(directory);
        for (const name of await readdir(directory)) await syncToDisk(join(directory, name));
        await syncToDisk(directory);
        const id = await this.#publish(directory);
        await syncToDisk(this.path);
        return id;
      },
      drop: async () => {
        await rm(directory, { recursive: true, force: true });
        this.#filling.delete(temporary);
      },
    };
  }

  /** The rename fails when the name is taken, since a generation is never empty; then the next millisecond is tried. */
  async #publish(directory: string): Promise<string> {
    for (let ms = Date.now(); ; ms++) {
      const id = idAt(ms);
      const newest = (await this.list()).at(-1);
      if (newest !== undefined && id <= newest) {
        // A clock that was set back must not make the newest look old.
        ms = Math.max(ms, timeOf(newest));
        continue;
      }
      try {
        await rename(directory, this.pathOf(id));
        return id;
      } catch (error) {
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
      }
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.pathOf(id), { recursive: true, force: true });
    await syncToDisk(this.path).catch(ifMissing(undefined));
  }

  /** Removes the temporary directories that nobody fills any more. */
  async removeLeftovers(): Promise<void> {
    const leftovers = (await this.#entries()).filter(
      (name) => name.startsWith(TEMPORARY) && !this.#filling.has(name),
    );
    for (const name of leftovers) await rm(join(this.path, name), { recursive: true, force: true });
  }

  #entries(): Promise<string[]> {
    return readdir(this.path).catch(ifMissing<string[]>([]));
  }
}

function idAt(ms: number): string {
  const [, date = '', time = '', millis = ''] =
    /^(.+)T(.+)\.(\d{3})Z$/.exec(new Date(ms).toISOString()) ?? [];
  return `g${date.replaceAll('-', '')}-${time.replaceAll(':', '')}-${millis}`;
}

function timeOf(id: string): number {
  return Date.parse(id.replace(/^g(....)(..)(..)-(..)(..)(..)-(...)$/, '$1-$2-$3T$4:$5:$6.$7Z'));
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (hasCode(error, 'ENOENT')) return value;
    throw error;
  };
}
