import { describe, expect, it } from 'vitest';
import { wantedBy } from '../../../deployer/deployment/expectations/wanted.ts';
import type { LoggedCommit } from '../../../deployer/release/types.ts';

const id = (name: string) => Buffer.from(name).toString('hex').padEnd(40, '0').slice(0, 40);

/** Commits, newest first; a merge names what it brings. */
function history(...commits: { name: string; says: string; brings?: string[] }[]) {
  const logged: LoggedCommit[] = commits.map(({ name, says, brings }, index) => ({
    commit: id(name),
    parents: [id(commits[index + 1]?.name ?? 'root'), ...(brings ? [id(brings[0] ?? '')] : [])],
    message: says,
  }));
  const log = async ({ from, to }: { from: string | null; to: string }): Promise<LoggedCommit[]> => {
    const merge = commits.find(({ name }) => id(name) === to && from !== id('live'));
    if (!merge?.brings) return logged;
    return logged.filter(({ commit }) => [merge.name, ...(merge.brings ?? [])].map(id).includes(commit));
  };
  return async () => {
    const wanted = await wantedBy({ log }, { from: id('live'), to: id(commits[0]?.name ?? '') });
    return wanted.map(
      ({ line, commit }) => `${commits.find(({ name }) => id(name) === commit)?.name}: ${line}`,
    );
  };
}

describe('what a deployment is expected to show', () => {
  it('is what all of its commits say, newest first', async () => {
    const lines = history(
      { name: 'c', says: 'C\n\nExpect: GET /c' },
      { name: 'b', says: 'B' },
      { name: 'a', says: 'A\n\nExpect: GET /a1\nExpect: GET /a2' },
    );
    expect(await lines()).toEqual(['c: Expect: GET /c', 'a: Expect: GET /a1', 'a: Expect: GET /a2']);
  });

  it('is the newest word about a page and a text, and about its status', async () => {
    const lines = history(
      { name: 'b', says: 'B\n\nExpect-Gone: GET / contains "Beta"\nExpect-Gone: GET /old' },
      {
        name: 'a',
        says: 'A\n\nExpect: GET / contains "Beta"\nExpect: GET / contains "Other"\nExpect: GET /old status 200',
      },
    );
    expect(await lines()).toEqual([
      'b: Expect-Gone: GET / contains "Beta"',
      'b: Expect-Gone: GET /old',
      'a: Expect: GET / contains "Other"',
    ]);
  });

  it('is nothing of a commit that was reverted', async () => {
    const lines = history(
      { name: 'r', says: `Revert "A"\n\nThis reverts commit ${id('a')}.\n\nExpect: GET /r` },
      { name: 'a', says: 'A\n\nExpect: nonsense' },
    );
    expect(await lines()).toEqual(['r: Expect: GET /r']);
  });

  it('is nothing of a merge that was reverted, nor of what it brought', async () => {
    const lines = history(
      { name: 'r', says: `Revert\n\nThis reverts commit ${id('m')}, reversing\nchanges made to ${id('a')}.` },
      { name: 'm', says: 'Merge\n\nExpect: GET /m', brings: ['x'] },
      { name: 'x', says: 'X\n\nExpect: GET /x' },
      { name: 'a', says: 'A\n\nExpect: GET /a' },
    );
    expect(await lines()).toEqual(['a: Expect: GET /a']);
  });

  it('is there again when the revert was reverted', async () => {
    const lines = history(
      { name: 's', says: `Reapply "A"\n\nThis reverts commit ${id('r')}.` },
      { name: 'r', says: `Revert "A"\n\nThis reverts commit ${id('a')}.` },
      { name: 'a', says: 'A\n\nExpect: GET /a' },
    );
    expect(await lines()).toEqual(['a: Expect: GET /a']);
  });
});
