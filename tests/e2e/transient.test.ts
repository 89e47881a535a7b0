import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
  const stage = liveForAll({ cutover: { hold: '3s', settle: '0s' } });

  /** Rejected, but not quarantined, nor tried again before somebody asks. */
  async function expectRejected(commit: string, cause: RegExp): Promise<void> {
    const { operations, reconciler } = stage.daemon;
    expect(await stage.ended('dev', commit)).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringMatching(cause) as string,
    });
    expect((await operations.environment('dev')).quarantined).toEqual([]);
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
    const enough = new AbortController();
    const writing = (async () => {
      const notes = `http://127.0.0.1:${stage.ports.dev}/notes?wait=20000`;
      while (!enough.signal.aborted) await fetch(notes, { method: 'POST', body: 'slow' });
    })();
    const commit = await stage.push('dev', 'A column', {
      'migrations/002_mood.json': JSON.stringify(COLUMN),
    });
    await expectRejected(commit, /^writes in flight did not finish within/).finally(() => enough.abort());
    await writing;
    expect(await again()).toMatchObject({ commit, outcome: 'deployed' });
  });
});
