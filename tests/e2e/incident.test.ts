import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stage } from '../kit/daemon.ts';

/** What the project was born from: after a deployment drafts stood there as published that nobody had approved. */
const PUBLISH = `
INSERT INTO documents (name, title, abstract, state, current_rev, ml_number, created_at, updated_at, published_at)
SELECT 'draft-nobody-' || value, 'Nobody asked', '', 'published', '00', 90000 + value, '2026-01-01T00:00:00.000Z',
  '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z' FROM json_each('[1, 2, 3]')`;

/** The application's own start, with more before it: `publish` is at hand. */
const publishing = (when: string) => `
import { get } from 'node:http';
import Database from 'better-sqlite3';
const { DATABASE_FILE = '', LISTEN = '' } = process.env;
const publish = () => void new Database(DATABASE_FILE).exec(\`${PUBLISH}\`);
${when}
const { main } = await import('./started.ts');
await main(process.env);
`;

/** A job that asks the instance itself whether it is live, and does its work once. */
const JOB = `
const job = setInterval(() => {
  get({ socketPath: LISTEN, path: '/_deploy/status' }, async (response) => {
    const { mode } = JSON.parse((await response.setEncoding('utf8').toArray()).join(''));
    if (mode || !job.hasRef()) return;
    job.unref();
    clearInterval(job);
    publish();
  }).on('error', () => {});
}, 50);
`;

describe('the datatracker, when a commit publishes drafts that nobody approved', () => {
  let stage: Stage;
  let server: string;
  beforeAll(async () => {
    stage = await Stage.ofProject();
    server = await stage.repository.git('show', 'HEAD:app/server.ts');
    const file = 'environments/dev.yaml';
    const config = parse(await stage.repository.git('show', `HEAD:${file}`)) as {
      cutover: object;
      backups: object;
    };
    const cutover = { ...config.cutover, settle: '20s' };
    const backups = { ...config.backups, 'before-deploy': true };
    await stage.push('dev', 'Watch, and back up', { [file]: stringify({ ...config, cutover, backups }) });
    await stage.start();
    await stage.allLive();
  });
  afterAll(() => stage.strike());

  const published = () => {
    const file = join(stage.home, 'data', 'dev', 'current', 'datatracker.db');
    const database = new Database(file, { readonly: true });
    try {
      return database.prepare("SELECT count(*) FROM documents WHERE title = 'Nobody asked'").pluck().get();
    } finally {
      database.close();
    }
  };
  const ended = async (message: string, files: Record<string, string>) => {
    const deployment = await stage.ended('dev', await stage.push('dev', message, files));
    await stage.repository.git('reset', '-q', '--hard', 'HEAD~1');
    return deployment;
  };
  const starting = (when: string) => ({
    'app/started.ts': server.replace('if (import.meta.main) await main(process.env);', ''),
    'app/server.ts': publishing(when),
  });

  it('at its start, it is rejected before anything live is touched, and the report names table, rows and where', async () => {
    const deployment = await ended('Publish at the start', starting('publish();'));
    expect(deployment).toMatchObject({ outcome: 'rejected', liveAt: null });
    expect(deployment.cause).toMatch(
      /^integrity: the data was changed by the start of app\/server\.ts: documents: 3 rows added \(keys \d+, \d+, \d+\)/,
    );
    expect(published()).toBe(0);
    // What was begun while the release was built is of no use to anybody.
    expect(await readdir(join(stage.home, 'backups', 'dev')).catch(() => [])).toEqual([]);
  });

  it('in a migration that does not name the table, it is rejected, and the report names the migration and the rows', async () => {
    const deployment = await ended('Publish in a migration', {
      'migrations/datatracker/20991231000000_tidy.ts': `
import type { Knex } from 'knex';
export const touches = ['settings'];
export const up = (knex: Knex) => knex.raw(\`${PUBLISH}\`);
export const down = (knex: Knex) => knex('documents').where({ title: 'Nobody asked' }).delete();
`,
    });
    expect(deployment).toMatchObject({ outcome: 'rejected', liveAt: null });
    expect(deployment.cause).toMatch(
      /^integrity: documents: 3 rows added \(keys \d+, \d+, \d+\).* by the migration 20991231000000_tidy, which does not name documents.* in touches$/,
    );
    expect(published()).toBe(0);
  });

  it('in a job that begins once it is live, it is taken back', async () => {
    const deployment = await ended('Publish in a job', starting(JOB));
    expect(deployment).toMatchObject({ outcome: 'rolled_back' });
    expect(deployment.cause).toMatch(
      /^settle: .*3 rows of documents \(the last: \d+\).* written without a request$/,
    );
  });
});
