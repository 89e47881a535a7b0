import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '../../kit/daemon.ts';
import { Application } from '../application.ts';
import { endByFile, environmentWith, run } from '../commands.ts';
import type { Contestant, Entry, Place } from '../contestant.ts';
import { versionAt } from '../watch.ts';

const SCRIPT = fileURLToPath(new URL('../scripts/capistrano.sh', import.meta.url));

export const capistrano: Entry = {
  name: 'Capistrano layout',
  about:
    'git push, then releases/, shared/, npm ci, migrate in place, the link current, restart; without ssh and Ruby',
  prepare,
};

async function prepare(place: Place): Promise<Contestant> {
  const { directory, registry } = place;
  const front = await freePort();
  const database = join(directory, 'shared', 'notes.db');
  for (const name of ['releases', 'shared']) await mkdir(join(directory, name));
  const env = environmentWith({
    PLACE: directory,
    HOME: directory,
    LISTEN: `127.0.0.1:${front}`,
    DATABASE_FILE: database,
    npm_config_registry: registry.url,
    npm_config_cache: join(directory, 'npm-cache'),
  });
  const application = await Application.create({
    directory: join(directory, 'work'),
    origin: join(directory, 'origin.git'),
    registry,
  });
  const script = (...args: string[]) =>
    run({ argv: [SCRIPT, ...args], cwd: directory, env, log: join(directory, 'log') });
  const deploy = async () => {
    await application.repository.push('HEAD:dev');
    await script('deploy');
  };
  await run({
    argv: ['git', 'init', '-q', '--bare', 'repo'],
    cwd: directory,
    env,
    log: join(directory, 'log'),
  });
  place.atEnd(() => endByFile(join(directory, 'shared', 'server.pid')));
  await deploy();
  await waitFor('the application to serve', async () => (await versionAt(front)) ?? undefined);
  return {
    application,
    front,
    database: () => Promise.resolve(database),
    deploy,
    rollback: (down) => script('rollback', ...(down === null ? [] : [down])),
    rest: () => Promise.resolve(),
  };
}
