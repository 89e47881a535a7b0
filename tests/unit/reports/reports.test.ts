import { describe, expect, it } from 'vitest';
import { parseEnvironment } from '../../../environments/parse.ts';
import type { Suite } from '../../../deployer/deployment/model.ts';
import { descriptionOf } from '../../../deployer/deployment/reports/status.ts';
import { COMMIT, openJournal, wanted } from '../journal/journal.ts';

const config = (more = '') =>
  parseEnvironment(
    `name: dev\nbranch: dev\nlisten: 127.0.0.1:8001\nurl: https://dev.example.org\ncommands: { start: "node 'a b.js'", verify: node verify.js }\n${more}`,
    'environments/dev.yaml',
  );
const check = { name: 'GET /', success: false, expected: '200', actual: 'gave 500 @octocat', hint: 'h' };
const FAILED: Suite[] = [
  { name: 'routes', success: false, durationMs: 1, checks: [{ ...check, location: 'app.ts:1' }] },
];

describe('the description of a status', () => {
  it.each([
    ['💥 exploded 💥', '\ufffd exploded \ufffd'],
    ['ä — “日本” …', 'ä — “日本” …'],
    [`${'x'.repeat(135)}${'💥'.repeat(9)}`, `${'x'.repeat(135)}\ufffd\ufffd\ufffd\ufffd…`],
  ])('%j holds nothing that GitHub refuses', (text, told) => {
    expect(descriptionOf(text)).toBe(told);
  });
});

describe('the status of a suite', () => {
  it('says when it ran, also when it is told later and beside others', async () => {
    const { journal, at, reports, clock } = await openJournal();
    const passed = (name: string): Suite => ({ name, success: true, durationMs: 1, checks: [] });
    const id = await at('running');
    const [early, late] = [clock.read().toISOString(), new Date(clock.read().getTime() + 5000).toISOString()];
    await journal.suites(id, [passed('rehearsal')]);
    clock.advance(5000);
    await journal.suites(id, [passed('rehearsal'), passed('service')]);
    clock.advance(5000);
    await journal.phase(id, 'switching');
    await journal.live(id);
    const told = (await reports()).flatMap((report) => (report.type === 'status' ? [report] : []));
    expect(told.map(({ context, at: when }) => [context, when])).toEqual([
      ['deploy/dev', early],
      ['verify/dev/rehearsal', early],
      ['verify/dev/service', late],
    ]);
    expect((await journal.details(id))?.suites).toEqual([passed('rehearsal'), passed('service')]);
  });
});

describe("the forge's own record of a deployment", () => {
  it('is queued, in progress and ended, and what it replaced is inactive', async () => {
    const { journal, at, deployments } = await openJournal();
    const first = await at('live');
    await journal.finish(first, 'deployed', null);
    const second = await at('live', { commit: 'b'.repeat(40) });
    await journal.note(second, { replaced: first });
    await journal.finish(second, 'deployed', null);
    expect(await deployments()).toEqual([
      `${first} queued`,
      `${first} in_progress`,
      `${first} success`,
      `${second} queued`,
      `${second} in_progress`,
      `${second} success`,
      `${first} inactive`,
    ]);
  });

  it.each([
    ['rejected', 'failure'],
    ['rolled_back', 'failure'],
    ['superseded', 'error'],
    ['needs_attention', 'error'],
  ] as const)('of one that was %s is a %s, and what was live stays active', async (outcome, state) => {
    const { journal, at, deployments } = await openJournal();
    const first = await at('live');
    await journal.finish(first, 'deployed', null);
    const second = await at('running', { commit: 'b'.repeat(40) });
    await journal.note(second, { replaced: first });
    await journal.finish(second, outcome, 'because');
    expect((await deployments()).at(-1)).toBe(`${second} ${state}`);
  });
});

describe('a comment on the pull request', () => {
  it('carries what an agent needs, and nothing that a stranger wrote means anything in it', async () => {
    const { journal, at, comments } = await openJournal();
    const id = await at('running');
    await journal.note(id, { config: config(), logTail: ['Error: ``` @everyone'] });
    await journal.suites(id, FAILED);
    await journal.finish(id, 'rejected', 'routes: GET / gave 500 @octocat, expected 200');
    const [comment] = await comments();
    expect(comment).toMatchObject({ on: { commit: COMMIT }, key: 'deploy/dev' });
    const body = comment?.type === 'comment' ? comment.body : '';
    expect(body).toContain('`rejected: routes: GET / gave 500 @octocat, expected 200`');
    expect(body).toContain(
      '```text\nroutes: GET /\n  expected  200\n  actual    gave 500 @octocat\n  hint      h\n  where     app.ts:1\n```',
    );
    expect(body).toContain('````text\nError: ``` @everyone\n````');
    expect(body).toContain(`http://deployer.example/deployments/${id}`);
    expect(body).toContain(`git checkout --detach ${COMMIT}`);
    expect(body).toContain("node 'a b.js' >");
    expect(body).toContain('node verify.js --url https://dev.example.org --socket "$LISTEN" --suite routes');
  });

  it('is made of what was rolled back, and not of what went well, was refused or gave way', async () => {
    for (const outcome of ['deployed', 'refused', 'superseded'] as const) {
      const { journal, at, comments } = await openJournal();
      await journal.finish(await at('running'), outcome, null);
      expect(await comments()).toEqual([]);
    }
    const { journal, at, comments } = await openJournal();
    await journal.finish(await at('reverting'), 'rolled_back', 'settle: sick');
    expect(await comments()).toHaveLength(1);
  });
});

describe('a rehearsal', () => {
  const pull = { number: 7, head: 'topic', base: 'dev' };
  const of = (more = {}) => wanted({ kind: 'rehearsal', branch: 'topic', request: { pull }, ...more });

  it('of a pull request is pending, then tells what it foretells, on the commit and in a comment', async () => {
    const { journal, statuses, comments, deployments } = await openJournal();
    const { id } = await journal.accept(of());
    await journal.begin(id);
    await journal.finish(id, 'ok', null);
    expect(await statuses()).toEqual(['rehearse/dev pending', 'rehearse/dev success']);
    expect(await comments()).toMatchObject([{ on: { pull: 7 }, key: 'deploy/dev' }]);
    expect(await deployments()).toEqual([]);
  });

  it('that gave way to a newer one says so on its commit, and comments nothing', async () => {
    const { journal, statuses, comments } = await openJournal();
    const { id } = await journal.accept(of());
    await journal.finish(id, 'superseded', '#7 has changed');
    expect(await statuses()).toEqual(['rehearse/dev pending', 'rehearse/dev error']);
    expect(await comments()).toEqual([]);
  });

  it('that a person asked for is told nobody', async () => {
    const { journal, reports } = await openJournal();
    const { id } = await journal.accept(of({ request: {} }));
    await journal.begin(id);
    await journal.finish(id, 'ok', null);
    expect(await reports()).toEqual([]);
  });

  it('takes the place of no deployment, quarantines nothing, and is nobody’s newest', async () => {
    const { journal, quarantined, at } = await openJournal();
    const deployment = await at('running');
    const { id } = await journal.accept(of());
    expect((await journal.newest('dev', ['waiting', 'running']))?.id).toBe(deployment);
    await journal.begin(id);
    await journal.finish(id, 'failed', 'broken');
    expect(await quarantined()).toEqual([]);
    expect((await journal.get(deployment)).phase).toBe('running');
  });

  it('that gave way to a deployment is not counted as an attempt', async () => {
    const { journal } = await openJournal();
    const { id } = await journal.accept(of());
    for (let round = 0; round < 5; round += 1) {
      await journal.begin(id);
      await journal.restart(id, true);
    }
    expect(await journal.get(id)).toMatchObject({ phase: 'waiting', attempts: 0 });
  });
});
