import { createServer } from 'node:http';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { beginTrial, isOnTrial, takeOver, tellTakenBack } from '../../../deployer/upgrade/take-over.ts';
import { readFailures, readTrial, writeFailure, writeTrial } from '../../../deployer/upgrade/trial.ts';
import { scratch, scratchState } from '../../unit/scratch.ts';

const TREE = 'a'.repeat(40);
const brought = { identity: 'i', commit: 'c'.repeat(40), environment: 'prod' };

/** A new deployer's start, which answers with `status`. */
async function start(status: number, running: string | null = TREE) {
  const home = scratch();
  const state = await scratchState(home);
  const server = createServer((_, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  await writeTrial(home, { ...brought, from: 'installed', to: TREE, starts: 1, back: null });
  writeFileSync(join(home, 'upgrade', 'state.sqlite'), 'kept');
  const told: string[] = [];
  const journal = {
    audit: async ({ action, detail }: { action: string; detail: string }) =>
      void told.push(`${action}: ${detail}`),
  };
  /** What is live and answers. */
  const live = ['dev', 'prod'];
  const parts = {
    home,
    serving: async () => [...live],
    running: { directory: home, name: running },
    server,
    state,
    journal,
    logger: pino({ level: 'silent' }),
  };
  return { home, state, told, live, parts };
}

describe('a new deployer', () => {
  it('has taken over once it has answered for a while', async () => {
    const { home, told, parts } = await start(200);
    await writeFailure(home, { ...brought, identity: 'earlier', tree: TREE, cause: 'it ended', told: true });
    expect(await isOnTrial(parts)).toBe(true);
    await takeOver(parts, 50);
    expect([await isOnTrial(parts), await readTrial(home), await readFailures(home)]).toEqual([
      false,
      null,
      [],
    ]);
    expect(existsSync(join(home, 'upgrade', 'state.sqlite'))).toBe(false);
    expect(told).toEqual([`upgraded: the deployer of cccccccc runs: ${TREE}, before it installed`]);
  });

  it('has not when it does not answer: the trial and the state that was kept stay', async () => {
    const { home, told, parts } = await start(500);
    await expect(takeOver(parts, 50)).rejects.toThrow('/healthz gave 500, expected 200');
    expect([(await readTrial(home))?.to, told]).toEqual([TREE, []]);
    expect(existsSync(join(home, 'upgrade', 'state.sqlite'))).toBe(true);
  });

  it('has not, at any start, when what was live before it came is so no more, and may once it is again', async () => {
    const { home, live, parts } = await start(200);
    await beginTrial(parts);
    live.pop();
    for (let starts = 0; starts < 2; starts += 1) {
      await beginTrial(parts);
      await expect(takeOver(parts, 50)).rejects.toThrow(
        'what is live in prod does not answer any more since it came',
      );
    }
    expect((await readTrial(home))?.to).toBe(TREE);
    live.push('prod');
    await takeOver(parts, 50);
    expect(await readTrial(home)).toBeNull();
    // Another trial begins anew.
    live.pop();
    await writeTrial(home, { ...brought, from: 'installed', to: TREE, starts: 1, back: null });
    await beginTrial(parts);
    await takeOver(parts, 50);
    expect(await readTrial(home)).toBeNull();
  });

  it('has not when its state does not answer', async () => {
    const { home, state, parts } = await start(200);
    await state.schema.dropTable('environments');
    await expect(takeOver(parts, 50)).rejects.toThrow('environments');
    expect((await readTrial(home))?.to).toBe(TREE);
  });
});

it.each(['b'.repeat(40), null])('a start of %s is not the one that is on trial', async (running) => {
  const { home, parts } = await start(500, running);
  expect(await isOnTrial(parts)).toBe(false);
  await takeOver(parts, 50);
  expect((await readTrial(home))?.to).toBe(TREE);
});

it('a deployer that was taken back is told of once', async () => {
  const { home, told, parts } = await start(200);
  await writeFailure(home, { ...brought, tree: TREE, cause: 'it was started 2 times', told: false });
  await tellTakenBack(parts);
  await tellTakenBack(parts);
  expect(told).toEqual([
    'upgrade-failed: the deployer of cccccccc did not take over: it was started 2 times',
  ]);
  expect(await readFailures(home)).toMatchObject([{ told: true }]);
});
