import type { ChildProcess } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '../../kit/daemon.ts';
import { Application } from '../application.ts';
import { begin, end, endByFile, environmentWith, run } from '../commands.ts';
import type { Contestant, Entry, Place } from '../contestant.ts';
import { versionAt } from '../watch.ts';

const FRONT_DOOR = fileURLToPath(new URL('../../../deployer/host/front-door/main.ts', import.meta.url));
const SCRIPTS = fileURLToPath(new URL('../scripts', import.meta.url));

export const floor: Entry = {
  name: 'floor',
  about:
    'a bare script behind the same front door: fetch, checkout, hard-linked dependencies, boot, health, flip',
  prepare: (place) => Floor.prepare(place),
};

/** What nothing can be faster than that starts a process at all. A push runs the script; the earlier process stays warm. */
class Floor implements Contestant {
  readonly application: Application;
  readonly front: number;
  readonly #directory: string;
  readonly #env: Record<string, string>;
  #frontDoor: ChildProcess | null = null;

  private constructor(place: Place, application: Application, front: number) {
    this.application = application;
    this.front = front;
    this.#directory = place.directory;
    this.#env = environmentWith({
      PLACE: place.directory,
      HOME: place.directory,
      npm_config_registry: place.registry.url,
      npm_config_cache: join(place.directory, 'npm-cache'),
      NODE_COMPILE_CACHE: join(place.directory, 'compile-cache'),
      DATABASE_FILE: join(place.directory, 'notes.db'),
    });
  }

  static async prepare(place: Place): Promise<Floor> {
    const { directory, registry } = place;
    for (const name of ['run', 'releases']) await mkdir(join(directory, name));
    const origin = join(directory, 'origin.git');
    const application = await Application.create({ directory: join(directory, 'work'), origin, registry });
    const contestant = new Floor(place, application, await freePort());
    place.atEnd(() => contestant.#stop());
    await contestant.#open();
    return contestant;
  }

  async #open(): Promise<void> {
    await this.#run('git', 'init', '--quiet', '--bare', join(this.#directory, 'mirror.git'));
    const argv = [process.execPath, FRONT_DOOR, '--listen', `127.0.0.1:${this.front}`];
    this.#frontDoor = begin(this.#command([...argv, '--directory', join(this.#directory, 'run')]));
    await this.application.repository.push('HEAD:dev');
    await this.#run(join(SCRIPTS, 'floor.sh'));
    const hook = join(this.#directory, 'origin.git', 'hooks', 'post-receive');
    const variables = Object.entries(this.#env).map(([name, value]) => `export ${name}='${value}'`);
    await writeFile(
      hook,
      ['#!/bin/sh', ...variables, `exec ${SCRIPTS}/floor.sh >>'${this.#log}' 2>&1`, ''].join('\n'),
    );
    await chmod(hook, 0o755);
    await waitFor('the floor to be live', async () => (await versionAt(this.front)) ?? undefined);
  }

  database(): Promise<string> {
    return Promise.resolve(join(this.#directory, 'notes.db'));
  }

  deploy(): Promise<void> {
    return this.application.repository.push('HEAD:dev');
  }

  rollback(down: string | null): Promise<void> {
    return this.#run(join(SCRIPTS, 'floor-back.sh'), ...(down === null ? [] : [down]));
  }

  rest(): Promise<void> {
    return Promise.resolve();
  }

  async #stop(): Promise<void> {
    if (this.#frontDoor) await end(this.#frontDoor);
    const place = join(this.#directory, 'run');
    const files = (await readdir(place)).filter((name) => name.endsWith('.pid'));
    await Promise.all(files.map((name) => endByFile(join(place, name))));
  }

  get #log(): string {
    return join(this.#directory, 'floor.log');
  }

  #run(...argv: string[]): Promise<void> {
    return run(this.#command(argv));
  }

  #command(argv: string[]) {
    return { argv, cwd: this.#directory, env: this.#env, log: this.#log };
  }
}
