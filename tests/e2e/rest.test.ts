import { describe, expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { liveForAll } from '../kit/live-stage.ts';
import { behaviour } from '../kit/repository.ts';

describe('a deployer that is about to be replaced', () => {
  const stage = liveForAll();

  const pushed = (version: string) =>
    stage.push('dev', version, { 'behaviour.json': behaviour({ version }) });
  const dev = () => stage.daemon.operations.environment('dev');

  it('lets what runs end, begins nothing, and the next deployer deploys what came', async () => {
    const { conductor } = stage.daemon;
    const running = await pushed('runs');
    await waitFor('the deployment to run', async () => (await dev()).running ?? undefined);
    await conductor.rest();
    expect((await dev()).running).toBeNull();
    expect(await stage.ended('dev', running)).toMatchObject({ outcome: 'deployed' });

    const commit = await pushed('waits');
    await waitFor('the push to be stored', async () => (await dev()).waiting ?? undefined);
    await conductor.kickAll();
    expect(await dev()).toMatchObject({ running: null, waiting: { commit } });
    expect(await stage.get('dev')).toMatchObject({ body: { version: 'runs' } });

    await stage.leave();
    await stage.start();
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
  });

  it('goes on when it is not replaced after all', async () => {
    const { conductor } = stage.daemon;
    await conductor.rest();
    const commit = await pushed('later');
    await waitFor('the push to be stored', async () => (await dev()).waiting ?? undefined);
    await conductor.resume();
    expect(await stage.ended('dev', commit)).toMatchObject({ outcome: 'deployed' });
  });
});
