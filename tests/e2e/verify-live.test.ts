import { expect, it } from 'vitest';
import { liveForEach } from '../kit/live-stage.ts';

const stage = liveForEach();

/** Writes where nobody rehearses. */
const ROGUE = `
import { DatabaseSync as Rogue } from 'node:sqlite';
if (!process.argv.some((word) => /rehearsal/.test(word)))
  new Rogue(process.env.DATABASE_FILE).exec("INSERT INTO notes (text) VALUES ('of the verification')");
`;

it('a verification that a person asks for changes nothing, and fails where it would have', async () => {
  expect(await stage.post('dev', 'of a visitor')).toBe(201);
  const program = await stage.repository.git('show', 'HEAD:verify.mjs');
  const rogue = await stage.push('dev', 'A verification that writes', { 'verify.mjs': `${ROGUE}${program}` });
  expect(await stage.ended('dev', rogue)).toMatchObject({ outcome: 'deployed' });
  const { success, suites } = await stage.daemon.operations.verify('dev', []);
  expect(success).toBe(false);
  expect(suites[0]).toMatchObject({
    name: 'integrity',
    checks: [
      { actual: expect.stringMatching(/^was changed by the verification: notes: 1 row added/) as string },
    ],
  });
  expect((await stage.get('dev', '/notes')).body).toMatchObject([{ text: 'of a visitor' }]);
});

it("does not take visitors' writes for those of the verification", async () => {
  const visited = new AbortController();
  const visitor = (async () => {
    while (!visited.signal.aborted) await stage.post('dev', 'of a visitor');
  })();
  expect(await stage.daemon.operations.verify('dev', [])).toMatchObject({ success: true });
  visited.abort();
  await visitor;
});
