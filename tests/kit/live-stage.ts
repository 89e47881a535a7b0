import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Stage, type Start } from './daemon.ts';

interface Before extends Start {
  /** Committed to dev and main before the first start. */
  files?: Record<string, string | null>;
}

/**
 * A stage for all tests of a file or a `describe`: before the first of them everything on it is live and at rest, after
 * the last it is struck. `more`: keys for the environments' files.
 */
export function liveForAll(more: object = {}, before: Before = {}): Stage {
  const stage = new Stage();
  beforeAll(() => bringLive(stage, more, before));
  afterAll(() => stage.strike());
  return stage;
}

/** The same, set anew for each test. */
export function liveForEach(more: object = {}, before: Before = {}): Stage {
  const stage = new Stage();
  beforeEach(() => bringLive(stage, more, before));
  afterEach(() => stage.strike());
  return stage;
}

async function bringLive(stage: Stage, more: object, { files, ...start }: Before): Promise<void> {
  await stage.set(more);
  if (files) {
    await stage.repository.commit('Before the first start', files);
    await stage.repository.push('HEAD:dev', 'HEAD:main');
  }
  await stage.start(start);
  await stage.allLive();
}
