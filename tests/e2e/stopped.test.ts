import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Stage, waitFor } from '../kit/daemon.ts';
import { liveForAll, liveForEach } from '../kit/live-stage.ts';
import { behaviour } from '../kit/repository.ts';

/** Lasts until there is a file of that name. */
const INSTALL = `
import { existsSync } from 'node:fs';
const timer = setInterval(() => existsSync(process.argv[2]) && clearInterval(timer), 20);
`;

const WAYS = [
  ['alone', (stage: Stage) => stage.leave()],
  ['with all that it serves', (stage: Stage) => stage.rest()],
] as const;

describe.each(WAYS)('while a release settles, the deployer is stopped %s', (_, stop) => {
  const stage = liveForAll({ cutover: { hold: '20s', settle: '20s' } });

  /** The deployment that settles when the next deployer has started. */
  async function settling(version: Parameters<typeof behaviour>[0]) {
    const commit = await stage.push('dev', 'Another', { 'behaviour.json': behaviour(version) });
    const isLive = async () => {
      const { live } = await stage.daemon.operations.environment('dev');
      return live?.commit === commit && live.stages.find(({ name }) => name === 'settle')?.state === 'running'
        ? live
        : undefined;
    };
    const { id } = await waitFor('it to settle', isLive);
    await stop(stage);
    await stage.start();
    await waitFor('it to answer', async () =>
      (await stage.daemon.operations.readiness()).ready ? true : undefined,
    );
    expect(await isLive()).toMatchObject({ id, outcome: null });
    return { id };
  }

  it('the next one still takes back a release that fails', async () => {
    const deployment = await settling({ version: 'broken', homeLive: 500 });
    for (let count = 0; count < 30; count += 1) await stage.get('dev');
    expect(await stage.outcome(deployment)).toMatchObject({
      outcome: 'rolled_back',
      cause: expect.stringMatching(/^settle: \d+ of \d+ requests failed/) as string,
    });
    expect(await stage.get('dev')).toMatchObject({ status: 200, body: { version: 'one' } });
  });

  it('the next one says that a good release is deployed', async () => {
    const deployment = await settling({ version: 'two' });
    const newer = await stage.push('dev', 'Newer', { 'behaviour.json': behaviour({ version: 'three' }) });
    expect(await stage.outcome(deployment)).toMatchObject({ outcome: 'deployed', cause: null });
    await waitFor('the newer one to be live', async () =>
      (await stage.daemon.operations.environment('dev')).live?.commit === newer ? true : undefined,
    );
  });
});

describe('before a release is live', () => {
  const stage = liveForEach();

  it('stopping the deployer again and again is no death during its deployment', async () => {
    const file = await stage.repository.git('show', 'HEAD:environments/dev.yaml');
    const enough = join(stage.home, 'enough');
    const install = `  start: node server.mjs\n  install: node install.mjs ${enough}`;
    const commit = await stage.push('dev', 'Slow', {
      'environments/dev.yaml': file.replace('  start: node server.mjs', install),
      'install.mjs': INSTALL,
    });
    for (let stops = 0; stops < 4; stops++) {
      await waitFor('its installation', async () => {
        const { running } = await stage.daemon.operations.environment('dev');
        const release = running?.stages.find(({ name }) => name === 'release');
        return running?.commit === commit && release?.state === 'running' ? true : undefined;
      });
      await stage.leave();
      await stage.start();
    }
    await writeFile(enough, '');
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed', cause: null });
  });
});
