import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { gitServer } from './git.ts';
import { readObjects } from './objects.ts';
import type { GitObject } from './types.ts';

/** Milliseconds without a question after which it ends. */
const IDLE_MS = 10_000;

/**
 * Objects of a repository from one `git cat-file --batch` that stays while it is asked: an answer takes less than a
 * millisecond, where a git of its own takes five. It sees what is fetched meanwhile.
 */
export class ObjectServer {
  readonly #repository: string;
  #child: ChildProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #waiting: ((object: GitObject | null) => void)[] = [];
  #received: Buffer[] = [];
  /** Bytes that the answer under way needs, with its header; 0: not known yet. */
  #needed = 0;

  constructor(repository: string) {
    this.#repository = repository;
  }

  /** The object of a name without line breaks; null when it is missing, or cannot be read. */
  read(name: string): Promise<GitObject | null> {
    const child = this.warm();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#keepAlive();
      child.stdin?.write(`${name}\n`);
    });
  }

  /** Starts it, unless it is there, for questions that come soon. */
  warm(): ChildProcess {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.end(), IDLE_MS).unref();
    return (this.#child ??= this.#start());
  }

  /** It keeps this process alive only while it is asked for something. */
  #keepAlive(): void {
    const stdout = this.#child?.stdout;
    if (!(stdout instanceof Socket)) return;
    if (this.#waiting.length > 0) stdout.ref();
    else stdout.unref();
  }

  /** The same; whether an object is missing or damaged, only a git of its own says. */
  async find(name: string): Promise<GitObject | null> {
    const object = await this.read(name);
    if (object) return object;
    const [found] = await readObjects([name], { repository: this.#repository });
    return found ?? null;
  }

  /** The next question starts it anew. */
  end(): void {
    clearTimeout(this.#idle);
    this.#child?.kill('SIGKILL');
    this.#child = null;
    this.#received = [];
    this.#needed = 0;
    for (const answer of this.#waiting.splice(0)) answer(null);
  }

  #start(): ChildProcess {
    const child = gitServer(['cat-file', '--batch'], { repository: this.#repository });
    const ended = () => {
      if (this.#child === child) this.end();
    };
    child.once('error', ended).once('exit', ended);
    child.stdin?.on('error', ended);
    child.stdout?.on('data', (chunk: Buffer) => {
      if (this.#child !== child) return;
      this.#take(chunk);
      this.#keepAlive();
    });
    return child;
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    for (;;) {
      const size = this.#received.reduce((sum, { length }) => sum + length, 0);
      if (size === 0 || size < this.#needed) return;
      const all = Buffer.concat(this.#received);
      const end = all.indexOf(0x0a);
      if (end < 0) return;
      const [, id = '', type = '', bytes] =
        /^([0-9a-f]+) (\w+) (\d+)$/.exec(all.toString('utf8', 0, end)) ?? [];
      this.#needed = end + 1 + (bytes === undefined ? 0 : Number(bytes) + 1);
      if (all.length < this.#needed) {
        this.#received = [all];
        return;
      }
      const data = all.subarray(end + 1, this.#needed - 1);
      this.#received = all.length > this.#needed ? [all.subarray(this.#needed)] : [];
      this.#needed = 0;
      this.#waiting.shift()?.(bytes === undefined ? null : { id, type, data });
    }
  }
}
