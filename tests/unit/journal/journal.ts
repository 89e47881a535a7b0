import type { Knex } from 'knex';
import type { Acceptance } from '../../../deployer/deployment/accept.ts';
import { createJournal } from '../../../deployer/deployment/journal.ts';
import { reportsOf } from '../../../deployer/deployment/reports.ts';
import type { Report } from '../../../deployer/forge/types.ts';
import { createRedaction } from '../../../deployer/redaction.ts';
import { Clock, scratchState } from '../scratch.ts';

export const COMMIT = 'c0ffee'.padEnd(40, '0');
export const TREE = '7ee'.padEnd(40, '0');

export const wanted = (more: Partial<Acceptance> = {}): Acceptance => ({
  kind: 'deploy',
  environment: 'dev',
  branch: 'dev',
  commit: COMMIT,
  tree: TREE,
  requestedBy: 'push',
  automatic: true,
  request: {},
  ...more,
});

/** A journal over a state of its own, and what a test looks at. */
export async function openJournal(given?: Knex) {
  const state = given ?? (await scratchState());
  const clock = new Clock();
  const { redact } = createRedaction();
  const journal = createJournal({
    state,
    clock: clock.read,
    reports: reportsOf('http://deployer.example'),
    redact,
  });
  await state('environments').insert({ name: 'dev', branch: 'dev' });

  async function everyReport(): Promise<Report[]> {
    const rows: { report: string }[] = await state('outbox').orderBy('id');
    return rows.map(({ report }) => JSON.parse(report));
  }

  /** What is told of commits; `deployments` and `comments` are beside it. */
  const reports = async () =>
    (await everyReport()).filter(({ type }) => type !== 'deployment' && type !== 'comment');

  /** A deployment that has begun and gone as far as `phase`. */
  const at = async (
    phase: 'running' | 'switching' | 'live' | 'reverting',
    more: Partial<Acceptance> = {},
  ): Promise<string> => {
    const { id } = await journal.accept(wanted(more));
    await journal.begin(id);
    if (phase !== 'running') await journal.phase(id, 'switching');
    if (phase === 'live' || phase === 'reverting') await journal.live(id);
    if (phase === 'reverting') await journal.phase(id, 'reverting');
    return id;
  };

  return {
    at,
    state,
    clock,
    journal,
    reports,
    /** `id state` of each, in order. */
    deployments: async () =>
      (await everyReport()).flatMap((report) =>
        report.type === 'deployment' ? [`${report.deployment} ${report.state}`] : [],
      ),
    comments: async () => (await everyReport()).filter((report) => report.type === 'comment'),
    /** `context state` of each status, in order. */
    statuses: async () =>
      (await reports()).flatMap((report) =>
        report.type === 'status' ? [`${report.context} ${report.state}`] : [],
      ),
    quarantined: async (environment = 'dev'): Promise<string[]> =>
      (await state('quarantine').where({ environment })).map(({ commit }: { commit: string }) => commit),
  };
}
