import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled } from '../kit/web-server.ts';
import { Ordeal, steps } from '../kit/ordeal.ts';

for (const server of ['caddy', 'nginx'] as const) {
  const missing = isInstalled(server) ? '' : ` (skipped: ${server} is not installed)`;
  describe.skipIf(missing !== '')(`behind ${server}${missing}, visitors`, () => {
    let ordeal: Ordeal;
    beforeAll(async () => {
      ordeal = await Ordeal.set({ cutover: { hold: '20s', settle: '1s' } }, undefined, server);
    });
    afterAll(() => ordeal.machine.strike());

    it.each([
      ['code alone', { migration: false }],
      ['a migration', { migration: true }],
    ])('notice nothing of a deployment of %s, and none of their slow writes is lost', async (_, more) => {
      const { version, files } = ordeal.next({ ...more, background: 20 });
      ordeal.open({ rate: 60, writes: 0.4, slowMs: 600 });
      expect(await ordeal.push(files, [])).toMatchObject({ outcome: 'deployed' });
      expect(await ordeal.findings({ version })).toEqual([]);
    });

    it('notice nothing of a rollback with its migration', async () => {
      const { version } = await ordeal.machine.visit();
      const { files } = ordeal.next({ migration: true });
      expect(await ordeal.push(files, [])).toMatchObject({ outcome: 'deployed' });
      ordeal.open({ rate: 60, writes: 0.4 });
      await ordeal.machine.rollback();
      expect(await ordeal.findings({ version, outcome: 'ok' })).toEqual([]);
    });

    it.each([['in migrate'], ['before switchTo'], ['after switchTo']])(
      'notice nothing of a deployer that is killed %s: the sluice lets go, and the deployment ends well',
      async (step) => {
        const { version, files } = ordeal.next({ migration: true });
        ordeal.open();
        expect(await ordeal.push(files, steps(step))).toMatchObject({ outcome: 'deployed' });
        expect(await ordeal.findings({ version })).toEqual([]);
      },
    );

    it('see a release fail, and it is taken back by what the access log says', async () => {
      const { version } = await ordeal.machine.visit();
      const { files } = ordeal.next({ homeLive: 500 });
      ordeal.open({ writes: 0 });
      expect(await ordeal.push(files, [])).toMatchObject({
        outcome: 'rolled_back',
        cause: expect.stringMatching(/of \d+ requests failed since the switch/),
      });
      await ordeal.close();
      expect(await ordeal.machine.visit()).toMatchObject({ version });
    });
  });
}
