import { expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { liveForEach } from '../kit/live-stage.ts';
import { behaviour } from '../kit/repository.ts';

const stage = liveForEach();

it('what is live and is started again after a crash says when it went live, and the audit trail says that it was', async () => {
  const tells = behaviour({ version: 'two', tells: 'DEPLOYED_AT', crashLater: true });
  const commit = await stage.push('dev', 'Two', { 'behaviour.json': tells });
  const { id, liveAt } = await stage.ended('dev', commit);
  const told = async () =>
    ((await stage.get('dev').catch(() => null))?.body as { told?: string } | null)?.told;
  const before = await told();
  await fetch(`http://127.0.0.1:${stage.ports.dev}/crash-later`).catch(() => null);
  const after = await waitFor('another instance', async () => {
    const now = await told();
    return now === before ? undefined : now;
  });
  expect(after).toBe(liveAt);
  // It answers before the deployer has seen that it does.
  const entry = await waitFor('the audit trail to say so', async () => {
    const { entries } = await stage.daemon.operations.audit('dev');
    return entries.find(({ action }) => action === 'started again');
  });
  expect(entry).toMatchObject({ actor: 'deployer', deployment: id });
});

it('the audit trail goes on, page by page, to its first entry', async () => {
  const { state, operations } = stage.daemon;
  const [first] = (await operations.audit('dev')).entries.slice(-1);
  const entry = { at: '2026-11-29T12:00:00.000Z', actor: 'alice', action: 'locked', environment: 'dev' };
  for (let count = 0; count < 250; count += 1) await state('audit').insert({ ...entry, detail: `${count}` });
  const newest = await operations.audit('dev');
  expect(newest.entries).toHaveLength(200);
  expect(newest.entries.at(0)).toEqual({ ...entry, deployment: null, detail: '249' });
  const rest = await operations.audit('dev', newest.next ?? '');
  expect(rest.entries.at(0)).toMatchObject({ detail: '49' });
  expect(rest).toMatchObject({ next: null });
  expect(rest.entries.at(-1)).toEqual(first);
});
