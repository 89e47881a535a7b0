import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { liveForAll } from '../kit/live-stage.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

const COLUMN: SampleMigration = {
  up: ['ALTER TABLE notes ADD COLUMN mood TEXT'],
  down: ['ALTER TABLE notes DROP COLUMN mood'],
  touches: ['notes'],
};

/** What npm says of a registry that cannot be reached. */
const INSTALL = `
import { existsSync } from 'node:fs';
if (!existsSync(process.argv[2])) {
  console.error('npm error code ECONNREFUSED');
  process.exit(1);
}
`;

describe('what no commit is to blame for', () => {
  const stage = liveForAll();

  /** Rejected, but not quarantined, nor tried again before somebody asks. */
  async function expectRejected(commit: string, cause: RegExp): Promise<void> {
    const { operations, reconciler } = stage.daemon;
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringMatching(cause) as string,
    });
    expect((await operations.environment('dev')).quarantined).not.toContain(commit);
    await reconciler.look();
    const { deployments } = await operations.deployments({ environment: 'dev', commit });
    expect(deployments).toHaveLength(1);
  }

  const again = async () =>
    stage.outcome(await stage.daemon.operations.deploy({ environment: 'dev', by: 'alice' }));

  it('is a registry that does not answer: once it does, the commit can be deployed', async () => {
    const registry = join(stage.home, '..', 'registry');
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    const commit = await stage.push('dev', 'Needs the registry', {
      'behaviour.json': behaviour({ version: 'two' }),
      'install.mjs': INSTALL,
      'environments/dev.yaml': file.replace(
        '  start: node server.mjs',
        `  start: node server.mjs\n  install: node install.mjs ${registry}`,
      ),
    });
    await expectRejected(commit, /^node install\.mjs .*exited with 1: ECONNREFUSED$/);
    await writeFile(registry, 'is up');
    expect(await again()).toMatchObject({ commit, outcome: 'deployed' });
    await rm(registry);
    await stage.repository.commit('Without it', { 'environments/dev.yaml': file });
  });

  it('is a write that takes longer than a hold may', async () => {
    // It is sent without an end.
    const path = `http://127.0.0.1:${stage.ports.dev}/notes`;
    const write = request(path, { method: 'POST' });
    const answered = once(write, 'response');
    const sending = setInterval(() => write.write('slow '), 100);
    const enough = () => {
      clearInterval(sending);
      write.end();
    };
    await waitFor('the write to be in flight', async () => {
      const { writesInFlight } = await stage.daemon.tools.frontDoor.counters('dev');
      return writesInFlight === 1 || undefined;
    });
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    const pushed = (seconds: number) =>
      stage.push('dev', `A column within ${seconds} s`, {
        'migrations/002_mood.json': JSON.stringify(COLUMN),
        'environments/dev.yaml': file.replace(/hold: \d+s/, `hold: ${seconds}s`),
      });
    let commit = await pushed(3);
    // The hold itself is to be long enough for this machine.
    for (
      let seconds = 6;
      /raise cutover\.hold/.test((await stage.ended('dev', commit)).cause ?? '');
      seconds *= 2
    )
      commit = await pushed(seconds);
    await expectRejected(commit, /^writes in flight did not finish within/).finally(enough);
    await answered;
    expect(await again()).toMatchObject({ commit, outcome: 'deployed' });
  });
});
