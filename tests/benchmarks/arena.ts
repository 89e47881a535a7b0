import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Absent, type Contestant, type Entry } from './contestant.ts';
import { startRegistry, type Registry } from './registry.ts';
import { fill } from './visitors.ts';

export interface Participant<C extends Contestant = Contestant> {
  name: string;
  contestant: C;
  /** Ends it and removes what it has on disk, so that it does not disturb what is measured next. */
  leave(): Promise<void>;
}

/** The directory and the registry of a run, and everybody who takes part in it. */
export class Arena {
  readonly absent: { name: string; reason: string }[] = [];
  readonly #root: string;
  readonly #registry: Registry;
  readonly #leaving = new Set<() => Promise<void>>();
  #places = 0;

  private constructor(root: string, registry: Registry) {
    this.#root = root;
    this.#registry = registry;
  }

  static async open(): Promise<Arena> {
    const root = await mkdtemp(join(tmpdir(), 'bench-'));
    await mkdir(join(root, 'packages'));
    return new Arena(root, await startRegistry());
  }

  /** Prepares an entry with a database of that size; null, and noted, when it cannot be had on this machine. */
  async enter<C extends Contestant>(entry: Entry<C>, megabytes: number): Promise<Participant<C> | null> {
    const directory = join(this.#root, String((this.#places += 1)));
    await mkdir(directory);
    const atEnd: (() => Promise<void>)[] = [];
    const leave = async () => {
      this.#leaving.delete(leave);
      for (const work of atEnd.splice(0).toReversed()) await work();
      await rm(directory, { recursive: true, force: true });
    };
    this.#leaving.add(leave);
    const packages = join(this.#root, 'packages');
    try {
      const place = { directory, packages, registry: this.#registry };
      const contestant = await entry.prepare({ ...place, atEnd: (work) => void atEnd.push(work) });
      fill(await contestant.database(), megabytes);
      return { name: entry.name, contestant, leave };
    } catch (error) {
      await leave();
      if (!(error instanceof Absent)) throw error;
      this.absent.push({ name: entry.name, reason: error.message });
      return null;
    }
  }

  async enterAll(entries: readonly Entry[], megabytes: number): Promise<Participant[]> {
    const entered: Participant[] = [];
    for (const entry of entries) {
      const participant = await this.enter(entry, megabytes);
      if (participant) entered.push(participant);
    }
    return entered;
  }

  async close(): Promise<void> {
    for (const leave of this.#leaving) await leave();
    await this.#registry.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}
