import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { globSync } from 'node:fs';
import { execa } from 'execa';
import { freePort } from './daemon.ts';

/**
 * A PostgreSQL server of its own for `npm run test:postgres`, unless TEST_DATABASE_URL names one:
 * Debian's newest, on loopback, its files in a temporary directory.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env['TEST_DATABASE_URL']) return async () => {};
  const programs = newest();
  const directory = await mkdtemp(join(tmpdir(), 'postgres-'));
  const data = join(directory, 'data');
  const port = await freePort();
  // PostgreSQL refuses to run as root.
  const as = userInfo().uid === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
  const run = async (program: string, ...args: string[]) => {
    const [file = '', ...rest] = [...as, join(programs, program), ...args];
    await execa(file, rest, { cwd: '/', stdio: 'ignore' });
  };
  if (as.length > 0) await execa('chown', ['postgres', directory]);
  await run('initdb', '-D', data, '-U', 'tests', '--auth=trust', '--no-sync', '--encoding=UTF8');
  // What is lost in a crash of a test's server is lost gladly.
  const options = `-h 127.0.0.1 -p ${port} -k ${directory} -c fsync=off -c max_connections=200`;
  await run('pg_ctl', '-D', data, '-w', '-l', join(directory, 'log'), '-o', options, 'start');
  process.env['TEST_DATABASE_URL'] = `postgres://tests@127.0.0.1:${port}/postgres`;
  return async () => {
    await run('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop');
    await rm(directory, { recursive: true, force: true });
  };
}

/** Where the newest installed server's programs are. */
function newest(): string {
  const found = globSync('/usr/lib/postgresql/*/bin').toSorted((a, b) => versionOf(a) - versionOf(b));
  const programs = found.at(-1);
  if (!programs) {
    throw new Error('PostgreSQL is missing: apt install postgresql, or name a server in TEST_DATABASE_URL');
  }
  return programs;
}

const versionOf = (path: string) => Number(/(\d+)\/bin$/.exec(path)?.[1]);
