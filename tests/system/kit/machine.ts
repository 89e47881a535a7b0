import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { waitFor } from '../../kit/daemon.ts';
import { createCgroups, endCgroups, enterCgroups, ownControllers } from './cgroup.ts';
import { makeDisk } from './disk.ts';
import { machineDirectory, machineName, removeMachine } from './leftovers.ts';

const REGISTRY = fileURLToPath(new URL('registry.ts', import.meta.url));
const BOOT_MS = 90_000;

export interface Done {
  /** null: it was ended by a signal, or by the time limit. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface ExecOptions {
  /** The user; root if absent. */
  as?: string;
  cwd?: string;
  env?: Record<string, string>;
  input?: string | Uint8Array;
  timeoutMs?: number;
  /** It has the host's network, to fetch what the machine is to find. */
  isOnline?: boolean;
}

/** A bare Debian with systemd, booted in a container: no network but its own loopback, where npm's registry answers. */
export class DebianMachine {
  readonly name: string;
  /** The root directory, as the host sees it; without what is mounted inside (`/run`, `/tmp`). */
  readonly root: string;
  #nspawn: ChildProcess | null = null;
  #leader = 0;
  #console = '';
  readonly #beside = new Set<ChildProcess>();

  private constructor(name: string, root: string) {
    this.name = name;
    this.root = root;
  }

  /**
   * @param options.disk what may be written at most, as tmpfs takes it
   * @param options.like a machine that is off for good, whose disk it has
   */
  static async boot(options: { disk?: string; like?: string; name?: string } = {}): Promise<DebianMachine> {
    const { disk = '6g', like, name = machineName() } = options;
    try {
      const below = like === undefined ? null : join(machineDirectory(like), 'upper');
      const machine = new DebianMachine(name, await makeDisk(name, disk, below));
      await machine.start();
      return machine;
    } catch (error) {
      await removeMachine(name);
      throw error;
    }
  }

  /** Boots what is on the disk; resolves once systemd has started everything, failed units included. */
  async start(): Promise<void> {
    const [program = '', ...args] = [
      ...enterCgroups(createCgroups(this.name)),
      ...nspawn(this.name, this.root),
    ];
    this.#nspawn = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#nspawn.stdout, this.#nspawn.stderr])
      stream
        ?.setEncoding('utf8')
        .on('data', (text: string) => (this.#console = (this.#console + text).slice(-8000)));
    try {
      this.#leader = await waitFor('systemd as process 1', async () => this.#findLeader(), BOOT_MS);
      await waitFor('systemd to have started', async () => this.#hasStarted(), BOOT_MS);
    } catch (error) {
      throw new Error(`${this.name} does not boot; its console:\n${this.#console}`, { cause: error });
    }
    await this.beside([process.execPath, REGISTRY], 'listening');
  }

  async reboot(): Promise<void> {
    await this.powerOff();
    await this.start();
  }

  /** Shuts down in order. */
  async powerOff(): Promise<void> {
    const container = this.#nspawn;
    if (!container) return;
    const gone = once(container, 'exit');
    await this.exec(['systemctl', 'poweroff', '--no-block']);
    await gone;
    await this.#isOff();
  }

  /** Shuts down, and is only the disk of others from now on. */
  async retire(): Promise<void> {
    await this.powerOff();
    await execa('umount', [this.root]);
  }

  /** As when the power fails: every process at once. */
  async cut(): Promise<void> {
    const container = this.#nspawn;
    if (!container) return;
    const gone = once(container, 'exit');
    await endCgroups(this.name);
    await gone;
    await this.#isOff();
  }

  /** Runs a program to its end. */
  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<Done> {
    const { as, cwd = '/root', env = {}, input = '', timeoutMs = 300_000 } = options;
    const variables = Object.entries({ ...SHELL, ...env }).map(([key, value]) => `${key}=${value}`);
    const user = as === undefined ? [] : ['sh', '-c', AS_USER, as];
    const inside = ['env', '-i', `--chdir=${cwd}`, ...variables, ...user, ...argv];
    const namespaces = options.isOnline ? ['-m', '-u', '-i', '-p'] : ['-a'];
    const ran = await execa('nsenter', ['-t', String(this.#leader), ...namespaces, '--', ...inside], {
      input,
      reject: false,
      timeout: timeoutMs,
      stripFinalNewline: false,
    });
    return { code: ran.exitCode ?? null, stdout: ran.stdout, stderr: ran.stderr };
  }

  /** Runs a program that must succeed; its stdout, without the last newline. */
  async run(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(argv, options);
    if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}\n${stdout}${stderr}`.slice(0, 8000));
    return stdout.replace(/\n$/, '');
  }

  /** A line that a maintainer would type. */
  async shell(line: string, options: ExecOptions = {}): Promise<string> {
    return this.run(['bash', '-euo', 'pipefail', '-c', line], options);
  }

  async put(path: string, content: string, mode = '0644'): Promise<void> {
    const script = 'mkdir -p "$(dirname "$0")"; cat > "$0"; chmod "$1" "$0"';
    await this.run(['sh', '-ec', script, path, mode], { input: content });
  }

  async read(path: string): Promise<string> {
    return `${await this.run(['cat', path])}\n`;
  }

  /** What the journal has, of a unit if one is named. */
  async journal(unit?: string): Promise<string> {
    return this.run([
      'journalctl',
      '--no-pager',
      '--all',
      '-o',
      'cat',
      ...(unit === undefined ? [] : ['-u', unit]),
    ]);
  }

  async waitFor<T>(what: string, look: () => Promise<T | undefined>, timeoutMs = 120_000): Promise<T> {
    return waitFor(what, look, timeoutMs);
  }

  /** A program of the host that has only the machine's network; ends with it. Resolves with the line in which it says `ready`. */
  async beside(argv: readonly string[], ready: string): Promise<string> {
    const network = `--net=/proc/${this.#leader}/ns/net`;
    const [shell = '', ...rest] = enterCgroups(createCgroups(`${this.name}/beside`));
    const command = [...rest, 'nsenter', network, '--', ...argv];
    const child = spawn(shell, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#beside.add(child);
    for await (const line of createInterface(child.stdout)) if (line.includes(ready)) return line;
    throw new Error(`${argv.join(' ')} ended before it said "${ready}"`);
  }

  /** Ends it at once, and removes everything of it. */
  async dispose(): Promise<void> {
    this.#endBeside();
    await removeMachine(this.name);
    this.#nspawn = null;
  }

  #findLeader(): number | undefined {
    const pid = this.#nspawn?.pid;
    if (pid === undefined || this.#nspawn?.exitCode !== null) throw new Error('systemd-nspawn has ended');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return children.map(Number).find((child) => {
      const comm = contents(`/proc/${child}/comm`).trim();
      return comm === 'systemd' && /^NSpid:.*\t1$/m.test(contents(`/proc/${child}/status`));
    });
  }

  async #hasStarted(): Promise<true | undefined> {
    const { stdout } = await this.exec(['systemctl', 'is-system-running']);
    return /^(running|degraded)$/m.test(stdout) || undefined;
  }

  async #isOff(): Promise<void> {
    this.#nspawn = null;
    this.#endBeside();
    await endCgroups(this.name);
  }

  #endBeside(): void {
    for (const child of this.#beside) child.kill('SIGKILL');
    this.#beside.clear();
  }
}

const AS_USER = 'exec setpriv --reuid="$0" --regid="$(id -g "$0")" --init-groups "$@"';

const SHELL = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/**
 * Also where systemd is not process 1; `/tmp` is a tmpfs whose creation must not be redone by tmpfiles. The controllers of
 * hybrid hosts are mounted read-only for whoever is in a container; its systemd is to limit its units by them.
 */
function nspawn(name: string, root: string): string[] {
  const how = ['--register=no', '--keep-unit', '--quiet', '--private-network', '--tmpfs=/tmp'];
  const init = 'for c; do mount -o remount,bind,rw "/sys/fs/cgroup/$c"; done; exec /lib/systemd/systemd "$0"';
  const program = ['/bin/sh', '-c', init, MASK, ...ownControllers()];
  return ['systemd-nspawn', ...how, `--machine=${name}`, '-D', root, ...program];
}

const MASK = 'systemd.mask=systemd-tmpfiles-setup.service';

/** Gone meanwhile. */
function contents(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
