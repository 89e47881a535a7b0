import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, waitFor } from '../../kit/daemon.ts';
import { Application } from '../application.ts';
import { environmentWith, run } from '../commands.ts';
import type { Place } from '../contestant.ts';
import { installPm2 } from '../packages.ts';
import { versionAt } from '../watch.ts';

/** What the two that reload with pm2 have in common: one database, migrated in place, and a pm2 of their own. */
interface Checkout {
  application: Application;
  front: number;
  env: Record<string, string>;
  pm2: string;
  /** Runs a program to its end in the contestant's directory, or in `cwd`. */
  run(argv: readonly string[], options?: { cwd?: string; env?: Record<string, string> }): Promise<void>;
  /** Starts the application from that directory, migrated. */
  launch(directory: string): Promise<void>;
  database(): Promise<string>;
  /** Nothing goes on once the new version is live, but for the end of the old process. */
  rest(): Promise<void>;
}

export async function checkout(place: Place): Promise<Checkout> {
  const { directory, registry } = place;
  const pm2 = await installPm2(place.packages);
  const front = await freePort();
  const log = join(directory, 'log');
  const databaseFile = join(directory, 'shared', 'notes.db');
  await mkdir(join(directory, 'shared'), { recursive: true });
  const env = environmentWith({
    PLACE: directory,
    PM2: pm2,
    PM2_HOME: join(directory, 'pm2'),
    HOME: directory,
    LISTEN: `127.0.0.1:${front}`,
    DATABASE_FILE: databaseFile,
    npm_config_registry: registry.url,
    npm_config_cache: join(directory, 'npm-cache'),
  });
  const application = await Application.create({
    directory: join(directory, 'work'),
    origin: join(directory, 'origin.git'),
    registry,
  });
  await application.repository.push('HEAD:dev');
  const execute: Checkout['run'] = (argv, options = {}) =>
    run({ argv, cwd: options.cwd ?? directory, env: { ...env, ...options.env }, log });
  return {
    application,
    front,
    env,
    pm2,
    run: execute,
    async launch(cwd) {
      await execute(['npm', 'install', '--omit=dev'], { cwd });
      await execute([process.execPath, 'migrate.mjs', 'up'], { cwd });
      const config = join(directory, 'ecosystem.config.cjs');
      await writeFile(config, `module.exports = ${JSON.stringify(await ecosystem(directory, cwd))};\n`);
      place.atEnd(() => execute([pm2, 'kill']));
      await execute([pm2, 'start', config]);
      await waitFor('pm2 to serve', async () => (await versionAt(front)) ?? undefined);
    },
    database: () => Promise.resolve(databaseFile),
    rest: () => Promise.resolve(),
  };
}

/** One process in cluster mode, which is what makes a reload without a gap; `deploy` is what `pm2 deploy` reads. */
async function ecosystem(directory: string, cwd: string): Promise<object> {
  const extra = await readFile(join(directory, 'deploy.json'), 'utf8').catch(() => null);
  return {
    apps: [{ name: 'small', script: 'server.mjs', cwd, exec_mode: 'cluster', instances: 1 }],
    ...(extra === null ? {} : { deploy: JSON.parse(extra) as unknown }),
  };
}
