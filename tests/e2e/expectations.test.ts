import { describe, expect, it } from 'vitest';
import { liveForAll } from '../kit/live-stage.ts';
import { behaviour, type SampleMigration } from '../kit/repository.ts';

const COLUMN: SampleMigration = {
  up: ["ALTER TABLE notes ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'"],
  down: ['ALTER TABLE notes DROP COLUMN mood'],
  touches: ['notes'],
};

describe('expectations in commit messages', () => {
  const stage = liveForAll();

  let version = 0;
  /** Pushes a version that says so on its start page. */
  const push = (...trailers: string[]) => {
    version += 1;
    return stage.push('dev', [`Version ${version}`, '', ...trailers].join('\n'), {
      'behaviour.json': behaviour({ version: `v${version}` }),
    });
  };
  const content = async (commit: string) => {
    const { outcome, cause, suites } = await stage.ended('dev', commit);
    const checks = suites.find(({ name }) => name === 'content')?.checks ?? [];
    return {
      outcome,
      cause,
      checks: checks.map(({ name, success }) => `${success ? 'passed' : 'failed'} ${name}`),
    };
  };

  it('that are met are reported by name, also of the commits before the head', async () => {
    await stage.repository.commit('Before\n\nExpect: GET /notes', {});
    const commit = await push(
      'Expect: GET / contains "v1"',
      'Expect-Gone: GET /nowhere',
      'Expect: HEAD /broken status 404',
    );
    expect(await content(commit)).toEqual({
      outcome: 'deployed',
      cause: null,
      checks: [
        'passed Expect: GET / contains "v1"',
        'passed Expect-Gone: GET /nowhere',
        'passed Expect: HEAD /broken status 404',
        'passed Expect: GET /notes',
      ],
    });
  });

  it('are of the deployment that brings the commit live, and of no later one', async () => {
    expect(await content(await push())).toEqual({ outcome: 'deployed', cause: null, checks: [] });
  });

  it('that are not met reject the deployment in words, and a later commit has the last word', async () => {
    const commit = await push('Expect: GET / contains "Beta"');
    expect(await content(commit)).toMatchObject({
      outcome: 'rejected',
      cause: 'content: Expect: GET / contains "Beta" gave 200 without it, expected 200 with it',
    });
    const next = await push('Expect-Gone: GET / contains "Beta"');
    expect(await content(next)).toMatchObject({
      outcome: 'deployed',
      checks: ['passed Expect-Gone: GET / contains "Beta"'],
    });
  });

  it.each([
    ['Expect: GET /broken', 'content: Expect: GET /broken gave 404, expected 200'],
    ['Expect-Gone: GET /notes', 'content: Expect-Gone: GET /notes gave 200, expected 404 or 410'],
    [
      'Expect: GET http://169.254.169.254/ contains "x"',
      'content: Expect: GET http://169.254.169.254/ cont… is not understood, expected Expect: GET /path [status 200] [contains "text"]',
    ],
  ])('%s rejects, and a revert is the way out', async (trailer, cause) => {
    const commit = await push(trailer);
    expect(await content(commit)).toMatchObject({ outcome: 'rejected', cause });
    await stage.repository.git('revert', '--no-edit', commit);
    const reverted = await stage.repository.git('rev-parse', 'HEAD');
    await stage.repository.push('HEAD:dev');
    expect(await content(reverted)).toMatchObject({ outcome: 'deployed', checks: [] });
  });

  it('during which the instance ends are told as what they are: its crash', async () => {
    const crash = { 'behaviour.json': behaviour({ version: 'crash', crashLater: true }) };
    const commit = await stage.push('dev', 'A crash\n\nExpect: GET /crash-later', crash);
    const cause = expect.stringMatching(/^crashed while it was verified: /) as string;
    expect(await content(commit)).toMatchObject({ outcome: 'rejected', cause });
    await stage.repository.git('revert', '--no-edit', commit);
    const reverted = await stage.repository.git('rev-parse', 'HEAD');
    await stage.repository.push('HEAD:dev');
    expect(await content(reverted)).toMatchObject({ outcome: 'deployed' });
  });

  it('of a commit whose tree is live already are asked of what is live', async () => {
    const empty = async (trailer: string) => {
      const commit = await stage.repository.commit(`Nothing new\n\n${trailer}`, {});
      await stage.repository.push('HEAD:dev');
      return commit;
    };
    const live = await stage.get('dev');
    const met = await empty('Expect: GET /notes');
    expect(await content(met)).toMatchObject({ outcome: 'deployed', checks: ['passed Expect: GET /notes'] });
    const unmet = await empty('Expect: GET / contains "Beta"');
    expect(await content(unmet)).toMatchObject({
      outcome: 'rejected',
      cause: 'content: Expect: GET / contains "Beta" gave 200 without it, expected 200 with it',
    });
    expect(await stage.get('dev')).toEqual(live);
    const next = await content(await push('Expect-Gone: GET / contains "Beta"'));
    expect(next).toMatchObject({ outcome: 'deployed' });
  });

  it('hold with a migration, on the migrated copy', async () => {
    const commit = await stage.push('dev', 'A mood\n\nExpect: GET / contains "mood"', {
      'migrations/002_mood.json': JSON.stringify(COLUMN),
    });
    expect(await content(commit)).toMatchObject({
      outcome: 'deployed',
      checks: ['passed Expect: GET / contains "mood"'],
    });
  });

  it('are read up to a number, and say so beyond it', async () => {
    const many = Array.from({ length: 300 }, (_, index) => `Expect-Gone: GET /gone/${index}`);
    const commit = await push(...many);
    expect(await content(commit)).toMatchObject({
      outcome: 'rejected',
      cause:
        'content: the number of expectations is 300, the newest 200 were looked at, expected at most 200',
    });
  });
});
