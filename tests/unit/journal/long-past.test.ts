import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Knex } from 'knex';
import { describe, expect, it } from 'vitest';
import { forgetLogs } from '../../../deployer/daemon/forget.ts';
import { policyOf } from '../../../deployer/deployment/policy.ts';
import { inPortions } from '../../../deployer/portions.ts';
import { scratch } from '../scratch.ts';
import { COMMIT, openJournal, TREE, wanted } from './journal.ts';

type Asked = { sql: string; bindings?: readonly Knex.Value[] };

/** How SQLite looks for the rows of a table in each statement that `ask` makes; PostgreSQL decides by what is there. */
async function plansOf(state: Knex, table: string, ask: () => Promise<unknown>): Promise<string[]> {
  const asked: Asked[] = [];
  const note = ({ sql, bindings }: Asked) => void asked.push({ sql, bindings: [...(bindings ?? [])] });
  state.on('query', note);
  await ask();
  state.off('query', note);
  const plans: string[] = [];
  for (const { sql, bindings } of asked.filter(({ sql: text }) => /^(select|delete|update)/i.test(text))) {
    const rows: { detail: string }[] = await state.raw(`EXPLAIN QUERY PLAN ${sql}`, bindings ?? []);
    plans.push(...rows.map(({ detail }) => detail).filter((detail) => detail.includes(` ${table}`)));
  }
  return plans;
}

describe.skipIf(process.env['TEST_DATABASE_URL'] !== undefined)(
  'after a hundred thousand deployments',
  () => {
    type Journal = Awaited<ReturnType<typeof openJournal>>['journal'];
    const everything = { environment: undefined, commit: undefined, outcome: undefined, before: undefined };

    it.each<[string, (journal: Journal) => Promise<unknown>, RegExp]>([
      ['what runs', (of) => of.newest('dev', ['running', 'live']), /unfinished \(environment=\?\)/],
      ['what waits', (of) => of.newest('dev', ['waiting']), /unfinished|\(environment=\? AND phase=\?\)/],
      ['what an earlier daemon left', (of) => of.inPhases(['running', 'live']), /unfinished_anywhere/],
      ['the rehearsals that wait', (of) => of.rehearsals(['waiting']), /unfinished_anywhere/],
      ["a pull request's last rehearsal", (of) => of.newestRehearsal('dev', 'p'), /requested_by=\?\)/],
      ['the tags', (of) => of.tags(), /tagged/],
      ['the backups of restores', (of) => of.takenByRestores('dev'), /restores/],
      ['an outcome', (of) => of.page({ ...everything, outcome: 'failed', most: 51 }), /\(outcome=\?\)/],
      [
        'an outcome in an environment',
        (of) => of.page({ ...everything, environment: 'dev', outcome: 'failed', most: 51 }),
        /\(environment=\? AND outcome=\?\)/,
      ],
      [
        'a page in the middle',
        (of) => of.page({ ...everything, environment: 'dev', before: 500, most: 51 }),
        /\(environment=\? AND seq<\?\)/,
      ],
      ['a tag to go back to', (of) => of.wasLive('dev', { version: 'v1' }), /\(environment=\? AND tag=\?\)/],
    ])('looks at a few rows only, asked for %s', async (_, ask, index) => {
      const { state, journal } = await openJournal();
      const plans = await plansOf(state, 'deployments', () => ask(journal));
      expect(plans).toEqual([expect.stringMatching(index)]);
    });

    it.each<[string, (journal: Journal) => Promise<unknown>]>([
      ['in the history', (of) => of.page({ ...everything, commit: 'c0ffee', most: 51 })],
      [
        'in the history of an environment, by outcome and from a place on',
        (of) => of.page({ environment: 'dev', commit: 'c0ffee', outcome: 'deployed', before: 500, most: 51 }),
      ],
      ['to go back to', (of) => of.wasLive('dev', { commit: 'c0ffee' })],
    ])('finds a commit by its first digits %s', async (_, ask) => {
      const { state, journal } = await openJournal();
      const plans = await plansOf(state, 'deployments', () => ask(journal));
      expect(plans).toContainEqual(expect.stringContaining('(commit>? AND commit<?)'));
      expect(plans).not.toContainEqual(expect.stringMatching(/SCAN|seq_index \(environment=\?\)$/));
    });

    it('accepts and begins a deployment without looking at the others', async () => {
      const { state, journal } = await openJournal();
      const plans = await plansOf(state, 'deployments', async () => {
        const { id } = await journal.accept(wanted());
        await journal.begin(id);
      });
      expect(plans.length).toBeGreaterThan(3);
      expect(plans).not.toContainEqual(expect.stringMatching(/SCAN|seq_index \(environment=\?\)$/));
      expect(plans).toContainEqual(expect.stringContaining('unfinished (environment=?)'));
    });

    it('asks the gate for those of one tree', async () => {
      const { state, journal } = await openJournal();
      await journal.accept(wanted());
      const plans = await plansOf(state, 'deployments', () => policyOf(state).gate('dev', TREE));
      expect(plans).toEqual([expect.stringContaining('(environment=? AND tree=?)')]);
    });
  },
);

it('finds by the first digits of a commit what begins with them, and nothing else', async () => {
  const { journal } = await openJournal();
  const asked = { environment: 'dev', outcome: undefined, before: undefined, most: 5 };
  const { id } = await journal.accept(wanted());
  const { id: other } = await journal.accept(wanted({ commit: 'c0fff'.padEnd(40, '0') }));
  const found = async (commit: string) => (await journal.page({ ...asked, commit })).map((row) => row.id);
  expect(await found('c0ff')).toEqual([other, id]);
  expect(await found('c0ffe')).toEqual([id]);
  expect(await found(COMMIT)).toEqual([id]);
  expect(await found('c0ffd')).toEqual([]);
});

it('removes old rows a portion at a time, and those alone', async () => {
  const { state } = await openJournal();
  const event = (number: number) => ({
    delivery: String(number),
    name: 'push',
    payload: '{}',
    received_at: number < 2100 ? 'a' : 'b',
  });
  await state.batchInsert(
    'events',
    Array.from({ length: 2110 }, (_, number) => event(number)),
    100,
  );
  const statements: string[] = [];
  state.on('query', ({ sql }: Asked) => void statements.push(sql));
  await inPortions(state, 'events', (old) => old.where('received_at', '<', 'b'));
  expect(statements).toHaveLength(3);
  expect(await state('events').pluck('received_at')).toEqual(Array.from({ length: 10 }, () => 'b'));
});

it("keeps the newest of the deployments' logs", async () => {
  const directory = join(scratch(), 'deployments');
  await forgetLogs(directory, 2);
  mkdirSync(directory);
  const names = ['20251120-100000-aaaaaa.log', '20261120-100000-bbbbbb.log', '20261121-100000-aaaaaa.log'];
  for (const name of names) writeFileSync(join(directory, name), '');
  await forgetLogs(directory, 3);
  expect(readdirSync(directory)).toEqual(names);
  await forgetLogs(directory, 2);
  expect(readdirSync(directory)).toEqual(names.slice(1));
});
