import { describe, expect, it } from 'vitest';
import { deploymentMode } from '../../../app/deploy/mode.ts';

/** The one thing that the mode asks of a database. */
function recordingDatabase(): { said: boolean[]; setReadOnly: (on: boolean) => Promise<void> } {
  const said: boolean[] = [];
  return {
    said,
    setReadOnly: async (on) => {
      said.push(on);
    },
  };
}

describe('the deployment mode', () => {
  it('waits for all writes in flight, lets in no more, and only then makes the handle read-only', async () => {
    const database = recordingDatabase();
    const mode = deploymentMode(false, database);
    const first = mode.enter();
    const second = mode.enter();
    let done = false;
    const turning = mode.set(true).then(() => (done = true));
    expect(mode.enter()).toBeNull();
    first?.();
    await Promise.resolve();
    expect([done, database.said]).toEqual([false, []]);
    second?.();
    await turning;
    expect(database.said).toEqual([true]);
  });

  it('lets writes in only once the handle takes them', async () => {
    const database = recordingDatabase();
    const mode = deploymentMode(true, database);
    expect(mode.isOn()).toBe(true);
    await mode.set(false);
    expect(database.said).toEqual([false]);
    expect(mode.enter()).not.toBeNull();
  });
});
