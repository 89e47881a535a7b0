import type { Deployment, Outcome } from '../../deployer/deployment/model.ts';
import type { WebServer } from '../../deployer/host/web-server/site.ts';
import { Load, type LoadOptions } from './load.ts';
import { Machine, type Step } from './machine.ts';
import { waitFor } from './daemon.ts';
import { behaviour, type Behaviour, type SampleMigration } from './repository.ts';

/** The earlier release cannot read the notes any more once they have moved. */
export const MOVED: SampleMigration = {
  up: [
    'CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
    'INSERT INTO remarks SELECT * FROM notes',
    'DROP TABLE notes',
  ],
  down: [
    'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
    'INSERT INTO notes SELECT * FROM remarks',
    'DROP TABLE remarks',
  ],
  touches: ['notes', 'remarks'],
};

interface Expected {
  version?: string;
  outcome?: Outcome;
  /** Whether it may have dropped what was written before, and saved it. */
  drops?: boolean;
  /** How many states of the database are kept. */
  generations?: number;
}

/** A machine with visitors, on which something is done to the daemon, and what has to hold afterwards. */
export class Ordeal {
  readonly machine: Machine;
  #version = 0;
  #load: Load | null = null;

  private constructor(machine: Machine) {
    this.machine = machine;
  }

  /** `more`: keys for the environment's file; `server`: the front door, instead of the embedded one. */
  static async set(more: object = {}, root?: string, server?: WebServer): Promise<Ordeal> {
    const machine = await Machine.set(more, root);
    if (server) await machine.serveBy(server);
    await machine.boot();
    await machine.atRest();
    return new Ordeal(machine);
  }

  /** Visitors come from now on. */
  open(more: Partial<LoadOptions> = {}): Load {
    this.#load ??= new Load({ port: this.machine.port, rate: 40, writes: 0.25, ...more });
    return this.#load;
  }

  /** Files of the next version, with a migration of its own when asked for. */
  next(more: { migration?: boolean } & Partial<Behaviour> = {}): {
    version: string;
    files: Record<string, string>;
  } {
    const { migration = false, ...own } = more;
    const number = ++this.#version;
    const version = `version ${number}`;
    const table = `extra_${number}`;
    const sql = { up: [`CREATE TABLE ${table} (x)`], down: [`DROP TABLE ${table}`], touches: [table] };
    const files = { 'behaviour.json': behaviour({ version, ...own }) };
    const name = `migrations/1${String(number).padStart(3, '0')}.json`;
    return { version, files: migration ? { ...files, [name]: JSON.stringify(sql) } : files };
  }

  /** Pushes, and kills the daemon at one step after the other, each time starting it again. Returns how it ended. */
  async push(files: Record<string, string | null>, kills: Step[]): Promise<Deployment> {
    this.machine.arm(kills[0] ?? null);
    const commit = await this.machine.push('A change', files);
    await this.survive(kills);
    return this.machine.ended(commit);
  }

  async survive(kills: Step[]): Promise<void> {
    for (const [index, step] of kills.entries()) {
      await this.machine.killAt(step);
      // Nobody is there to help: what visitors get is what is live, wholly.
      await this.machine.visit();
      await this.machine.boot(kills[index + 1] ?? null);
    }
  }

  /**
   * What is not as it has to be afterwards, one line each: one release is live, everything agrees, no request failed,
   * and nothing that was acknowledged is missing or there twice.
   */
  async findings(expected: Expected = {}): Promise<string[]> {
    const { machine } = this;
    const found: string[] = [];
    const { last, live: now } = await machine.atRest();
    if (expected.outcome && last?.outcome !== expected.outcome) found.push(`it ended ${last?.outcome}`);
    const { version, commit } = await machine.visit();
    if (commit !== now?.commit) found.push(`${commit} answers, ${now?.commit} should be live`);
    if (expected.version && version !== expected.version)
      found.push(`${version} is live instead of ${expected.version}`);
    const { live, write } = machine.links();
    if (live !== write) found.push(`reads go to ${live}, writes to ${write}`);
    const saved = last ? machine.dropped(last.id) : [];
    if (saved.length > 0 && !expected.drops) found.push(`${saved.length} rows were dropped`);
    found.push(...(await this.close(saved)));
    await waitFor('what is not needed to be gone', async () =>
      machine.generations().length === (expected.generations ?? 1) && machine.instances().length <= 2
        ? true
        : undefined,
    );
    return found;
  }

  /** Ends the visitors. Returns what went wrong for them, one line each; `saved`: what a restore has dropped and kept aside. */
  async close(saved: string[] = []): Promise<string[]> {
    const load = this.#load;
    if (!load) return [];
    this.#load = null;
    await load.stop();
    const { acknowledged, failed } = load;
    const none = acknowledged.length === 0 && load.writes ? ['no write was acknowledged'] : [];
    const turnedAway = failed.map(({ method, status, error }) => `${method} got ${status ?? error}`);
    return [...none, ...turnedAway, ...(await this.lost([...acknowledged, ...this.machine.ticks()], saved))];
  }

  /** Which of these are not there exactly once, and how often they are. */
  async lost(acknowledged: string[], saved: string[] = []): Promise<string[]> {
    const count = new Map<string, number>();
    for (const note of [...(await this.machine.notes()), ...saved])
      count.set(note, (count.get(note) ?? 0) + 1);
    return acknowledged
      .filter((text) => count.get(text) !== 1)
      .map((text) => `${text} is there ${count.get(text) ?? 0} times`);
  }
}

/** Steps by name; `name#2` is the second time. */
export function steps(...names: string[]): Step[] {
  return names.map((name) => {
    const [step = '', nth = '1'] = name.split('#');
    return { step, nth: Number(nth) };
  });
}
