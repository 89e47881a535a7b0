import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A program as a shell on a terminal starts it: in a process group of its own. */
export class Program {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor(argv: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    const [command = '', ...args] = argv;
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the program was not started');
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until stdout holds the text. */
  async says(text: string, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.stdout.includes(text)) {
      if (!this.running || performance.now() > deadline)
        throw new Error(`it did not say "${text}":\n${this.stdout}${this.stderr}`);
      await sleep(10);
    }
  }

  /** To this process alone, as `kill PID`. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** To the whole group, as a terminal does on Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }
}

export interface Found {
  pid: number;
  command: string;
}

/** Every process that has the path in its command line, its variables or its directory. */
export function processesOf(path: string): Found[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const command = look(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    // A zombie has no command line left.
    if (command === '') return [];
    const environment = look(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    const directory = look(() => readlinkSync(`/proc/${pid}/cwd`));
    const isMeant = [command, environment, directory].some((text) => text.includes(path));
    return isMeant ? [{ pid, command: command.replaceAll('\0', ' ').trim() }] : [];
  });
}

/** Gone, or another user's. */
function look(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
