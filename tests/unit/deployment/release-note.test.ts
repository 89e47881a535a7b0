import { describe, expect, it } from 'vitest';
import type { DeploymentRecord } from '../../../deployer/deployment/record.ts';
import { pullsOf, releaseNote } from '../../../deployer/deployment/reports/release-note.ts';

const pulls = (...messages: string[]) => pullsOf(messages.map((message) => ({ message })));

describe('a release note', () => {
  it('knows pull requests by the subjects of their merges and squashes, each once', () => {
    const found = pulls(
      'Merge pull request #12 from themetalayer/feature\n\nA feature\n\nand more',
      'A feature (#12)',
      'Mend it (#13)\n\n* Mend',
      'Revert "Mend it (#13)" (#14)',
      'Mention #15 and (#16) in the middle',
      "Merge branch 'dev' into main",
      'Merge pull request #17 from a/b',
    );
    expect(found).toEqual([
      { number: 12, title: 'A feature' },
      { number: 13, title: 'Mend it' },
      { number: 14, title: 'Revert "Mend it (#13)"' },
      { number: 17, title: '' },
    ]);
  });

  it('repeats of what strangers wrote one line, without what hides or turns text', () => {
    const [pull] = pulls(
      `Merge pull request #1 from a/b\n\n\u202eevil\u001b[31m\u200b ${'x'.repeat(300)}\nVerification: - faked`,
    );
    expect(pull?.title).toMatch(/^evil \[31m x+…$/);
    expect(pull?.title).toHaveLength(120);
  });

  it('says what came with it and that it was verified', () => {
    const check = {
      name: 'GET /',
      success: true,
      expected: '200',
      actual: '200',
      hint: null,
      location: null,
    };
    const deployment = {
      id: 'ID',
      environment: 'prod',
      pulls: Array.from({ length: 102 }, (_, index) => ({ number: index + 1, title: 'T' })),
      ran: [
        { name: '002_mood', durationMs: 1, touches: [], reversible: true },
        { name: '003_gone', durationMs: 1, touches: [], reversible: false },
      ],
    } as unknown as DeploymentRecord;
    const note = releaseNote(deployment, [{ name: 'routes', success: true, durationMs: 7, checks: [check] }]);
    expect(note).toMatch(/^Deployment ID to prod\n\nPull requests:\n- #1 T\n- #2 T\n/);
    expect(note).toMatch(
      /\n- #100 T\n- and 2 more\n\nMigrations:\n- 002_mood\n- 003_gone \(cannot be taken back\)\n\n/,
    );
    expect(note).toMatch(/\n\nVerification:\n- routes: 1 checks passed in 7 ms$/);
  });
});
