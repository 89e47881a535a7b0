import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Server } from './kit/server.ts';

const MIGRATION = `cat > migrations/datatracker/20991231000000_extra.ts <<'END'
import type { Knex } from 'knex';
import { setTimeout } from 'node:timers/promises';
export const touches = ['documents'];
export async function up(knex: Knex): Promise<void> {
  await setTimeout(PAUSE);
  await knex.schema.alterTable('documents', (table) => void table.index(['title'], 'extra'));
}
export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('documents', (table) => void table.dropIndex(['title'], 'extra'));
}
END`;

describe('a bare Debian, after the README’s commands', () => {
  let server: Server;
  const dispose = () => (server as Server | undefined)?.machine.dispose();
  beforeAll(async () => {
    server = await Server.create();
  });
  afterAll(dispose);

  it('serves both environments, and doctor finds nothing to mend', async () => {
    expect([await server.visit('dev'), await server.visit('prod')]).toEqual([200, 200]);
    expect(await server.problems()).toEqual([]);
  });

  it('deploys a push', async () => {
    const commit = await server.push('echo >> README.md');
    expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
  });

  it('rejects a release that does not start, and goes on serving', async () => {
    const commit = await server.push("sed -i '1i throw new Error();' app/server.ts");
    expect(await server.ended(commit)).toMatchObject({ outcome: 'rejected' });
    expect(await server.visit('dev')).toBe(200);
    await server.push('git revert -n HEAD');
    await server.live();
  });

  it('migrates, and goes back', async () => {
    const commit = await server.push(MIGRATION.replace('PAUSE', '0'));
    expect(await server.ended(commit)).toEqual({ outcome: 'deployed', cause: null });
    expect((await server.deployer('rollback', 'dev')).outcome).toBe('ok');
    expect(await server.visit('dev')).toBe(200);
    await server.push('git rm -q migrations/datatracker/20991231000000_extra.ts');
    await server.live();
  });

  it.each([
    ['deployer', 'deployer.service'],
    ['Caddy', 'caddy.service'],
    ['every instance', 'datatracker@*.service'],
  ])('survives a kill of %s', async (_, unit) => {
    await server.machine.run(['systemctl', 'kill', '--signal=KILL', unit]);
    await server.serves('dev');
    await server.serves('prod');
    await server.live();
    expect(await server.problems()).toEqual([]);
  });

  it('is back by itself after a reboot', async () => {
    await server.machine.reboot();
    await server.serves('dev');
    await server.serves('prod');
    await server.live();
    expect(await server.machine.run(['systemctl', '--failed', '--plain', '--no-legend'])).toBe('');
  });

  it('serves what is live after a reboot even when the deployer cannot start', async () => {
    await server.machine.shell('echo DEPLOYER_LISTEN=nonsense >> /etc/deployer/settings');
    await server.machine.reboot();
    await server.serves('dev');
    await server.serves('prod');
    expect(await server.problems()).toContainEqual(
      expect.objectContaining({ name: 'settings', actual: expect.stringContaining('DEPLOYER_LISTEN') }),
    );
    await server.machine.shell("sed -i '/nonsense/d' /etc/deployer/settings && systemctl restart deployer");
    await server.live();
  });

  it('is in a known state after the power failed in the middle of a hold', async () => {
    const commit = await server.push(MIGRATION.replace('PAUSE', '2000'));
    await server.machine.waitFor('the hold', async () => {
      const { details } = await server.deployer('status', 'dev');
      const id = (details['running'] as { id: string } | null)?.id;
      if (id === undefined) return undefined;
      const shown = await server.deployer('show', id);
      const stages = shown.details['stages'] as { name: string; state: string }[];
      return stages.some(({ name, state }) => name === 'migrate' && state === 'running') || undefined;
    });
    await server.machine.cut();
    await server.machine.start();
    await server.serves('dev');
    await server.live();
    expect(['deployed', 'rejected']).toContain((await server.ended(commit)).outcome);
    expect(await server.problems()).toEqual([]);
  });
});
