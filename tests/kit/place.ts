import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { removeTree } from '../../deployer/release/files.ts';
import { freePort, waitFor } from './daemon.ts';
import { processesOf, Program, type Ended, type Found } from './program.ts';
import { Repository } from './repository.ts';

const MAIN = fileURLToPath(new URL('../../deployer/cli/main.ts', import.meta.url));
/** What these tests start dozens of times is compiled once. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url));
const LAUNCH = fileURLToPath(new URL('../../deployer/cli/launch.mjs', import.meta.url));

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The one object of `--json`. */
export interface Answer extends Ran {
  success: boolean;
  outcome: string;
  details: Record<string, unknown>;
}

/** A checkout of an application on this machine, and the deployer as its owner runs it: as child processes. */
export class Place {
  readonly root: string;
  readonly checkout: Repository;
  readonly home: string;
  readonly listen: string;
  readonly #programs: Program[] = [];

  private constructor(root: string, home: string | undefined, port: number) {
    this.root = root;
    const directory = join(root, 'checkout');
    this.home = home ?? join(directory, '.deployer');
    this.checkout = new Repository(directory, join(this.home, 'origin.git'));
    this.listen = `127.0.0.1:${port}`;
  }

  /** An empty work tree on branch `work`. The home is the default, `.deployer` in it, unless one is named below `root`. */
  static async create(options: { home?: (root: string) => string; temporary?: string } = {}): Promise<Place> {
    const root = await mkdtemp(join(options.temporary ?? tmpdir(), 'place-'));
    const place = new Place(root, options.home?.(root), await freePort());
    const { directory } = place.checkout;
    await mkdir(directory);
    await promisify(execFile)('git', ['init', '-q', '-b', 'work', directory]);
    await place.checkout.git('config', 'user.name', 'A Developer');
    await place.checkout.git('config', 'user.email', 'developer@example.org');
    return place;
  }

  get url(): string {
    return `http://${this.listen}`;
  }

  /** What a person's shell has, and the settings. */
  env(settings: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const isDefault = this.home === join(this.checkout.directory, '.deployer');
    return {
      ...personsShell(),
      NODE_COMPILE_CACHE: COMPILED,
      DEPLOYER_LISTEN: this.listen,
      ...(isDefault ? {} : { DEPLOYER_HOME: this.home }),
      ...settings,
    };
  }

  run(argv: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Program {
    const program = new Program(argv, {
      cwd: options.cwd ?? this.checkout.directory,
      env: this.env(options.env),
    });
    this.#programs.push(program);
    return program;
  }

  /** As `npm start` runs it with `--demo`, and as `npx deployer start` without. */
  start(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Program {
    return this.run([process.execPath, MAIN, 'start', ...args], options);
  }

  /** `npx deployer …`, to its end. */
  async cli(...argv: string[]): Promise<Ran> {
    return finished(this.run([process.execPath, LAUNCH, ...argv]));
  }

  /** `npx deployer … --json`, which prints exactly one object. */
  async json(...argv: string[]): Promise<Answer> {
    const ran = await this.cli(...argv, '--json');
    if (!/^\{.*\}\n$/.test(ran.stdout)) throw new Error(`not one object: ${ran.stdout}${ran.stderr}`);
    return { ...ran, ...(JSON.parse(ran.stdout) as Pick<Answer, 'success' | 'outcome' | 'details'>) };
  }

  /** Instances and front doors, whoever started them. */
  serving(): Found[] {
    return processesOf(this.home).filter(({ command }) =>
      /front-door|^\S+ serve|^python3|^perl/.test(command),
    );
  }

  async ready(): Promise<void> {
    await waitFor('readyz', async () => {
      const { ok } = await fetch(`${this.url}/readyz`).catch(() => ({ ok: false }));
      return ok || undefined;
    });
  }

  /** Ends whatever a test left, and removes it. */
  async strike(): Promise<void> {
    for (const program of this.#programs) if (program.running) program.signalGroup('SIGKILL');
    for (const { pid } of processesOf(this.root)) kill(pid);
    await waitFor('everything to end', async () => processesOf(this.root).length === 0 || undefined);
    // Where the home's path is too long for sockets, they are elsewhere.
    const sockets = await readlink(join(this.home, 'run')).catch(() => null);
    if (sockets !== null) await removeTree(sockets);
    await removeTree(this.root);
  }
}

export async function finished(program: Program): Promise<Ran> {
  const { code }: Ended = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

function personsShell(): NodeJS.ProcessEnv {
  const { PATH = '', HOME } = process.env;
  const ofProject = (directory: string) => directory.includes('node_modules') || directory.includes('npm');
  const directories = PATH.split(delimiter).filter((directory) => !ofProject(directory));
  return { PATH: directories.join(delimiter), HOME, LANG: 'C.UTF-8' };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was quicker.
  }
}
