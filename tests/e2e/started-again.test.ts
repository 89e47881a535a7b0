import { afterEach, expect, it } from 'vitest';
import { Stage, waitFor } from '../kit/daemon.ts';
import { behaviour } from '../kit/repository.ts';

let stage: Stage;
afterEach(() => stage.strike());

it('what is live and is started again after a crash says when it went live, not when it was started', async () => {
  stage = await Stage.set();
  await stage.start();
  await stage.allLive();
  const tells = behaviour({ version: 'two', tells: 'DEPLOYED_AT', crashLater: true });
  const commit = await stage.push('dev', 'Two', { 'behaviour.json': tells });
  const { liveAt } = await stage.ended('dev', commit);
  const told = async () =>
    ((await stage.get('dev').catch(() => null))?.body as { told?: string } | null)?.told;
  const before = await told();
  await fetch(`http://127.0.0.1:${stage.ports.dev}/crash-later`).catch(() => null);
  const after = await waitFor('another instance', async () => {
    const now = await told();
    return now === before ? undefined : now;
  });
  expect(after).toBe(liveAt);
});
