import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Knex } from 'knex';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openState } from '../../../deployer/state.ts';
import { scratchDatabase } from '../../kit/scratch-database.ts';

const PROVE = fileURLToPath(new URL('../../../deployer/upgrade/prove.ts', import.meta.url));

/** Where a store may be made: `npm run test:postgres` names a server. */
const server = process.env['TEST_DATABASE_URL'];

async function store() {
  const database = await scratchDatabase();
  if (!database) throw new Error('no server');
  const home = mkdtempSync(join(tmpdir(), 'state-'));
  onTestFinished(async () => {
    await database.drop();
    rmSync(home, { recursive: true, force: true });
  });
  const open = () => openState({ home, databaseUrl: database.url });
  return { open, url: database.url, home };
}

const tables = async (state: Knex): Promise<string[]> =>
  (await state('pg_tables').where({ schemaname: 'public' }).orderBy('tablename').pluck('tablename')).filter(
    (name: string) => !name.startsWith('knex_'),
  );

describe.skipIf(server === undefined)("the deployer's state in PostgreSQL", () => {
  it('is made, taken back and made again', async () => {
    const { open } = await store();
    const state = await open();
    const made = await tables(state);
    expect(made).toContain('deployments');
    await state.migrate.rollback(undefined, true);
    expect(await tables(state)).toEqual([]);
    await state.migrate.latest();
    expect(await tables(state)).toEqual(made);
    await state.destroy();
  });

  it('is not changed by a deployer that main brings: it is refused while the one before works, and says what to do', async () => {
    const { open, url, home } = await store();
    const state = await open();
    const prove = async () => {
      const env = { PATH: process.env['PATH'] ?? '', DEPLOYER_HOME: home, DEPLOYER_DATABASE_URL: url };
      const { exitCode, stderr } = await execa(process.execPath, [PROVE, home], {
        env,
        extendEnv: false,
        reject: false,
      });
      return { exitCode, stderr };
    };
    expect(await prove()).toEqual({ exitCode: 0, stderr: '' });
    await state.migrate.down();
    expect(await prove()).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^it changes the state \(\S+\), which is in PostgreSQL: back that up, then run deployer install/,
      ) as string,
    });
    await state.destroy();
  });

  it('serves one deployer at a time: a second is told, and may have it once the first is gone', async () => {
    const { open } = await store();
    const first = await open();
    await expect(open()).rejects.toThrow(
      "the deployer's state cannot be opened: DEPLOYER_DATABASE_URL: another deployer works on this database",
    );
    await first.destroy();
    await (await open()).destroy();
  });

  it('goes on after the connection was cut', async () => {
    const { open } = await store();
    const state = await open();
    await expect(state.raw('SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toThrow('terminat');
    await expect.poll(() => state('deployments').select().catch(String)).toEqual([]);
    await expect(open()).rejects.toThrow('another deployer');
    await state.destroy();
  });

  it.each(['update', 'delete', 'truncate'] as const)(
    'keeps the audit trail append-only: no %s',
    async (action) => {
      const { open } = await store();
      const state = await open();
      await state('audit').insert({ at: 'now', actor: 'alice', action: 'locked', detail: 'a reason' });
      const attempts = {
        update: () => state('audit').update({ actor: 'bob' }),
        delete: () => state('audit').delete(),
        truncate: () => state('audit').truncate(),
      };
      await expect(attempts[action]()).rejects.toThrow('the audit trail is append-only');
      await state.destroy();
    },
  );
});
