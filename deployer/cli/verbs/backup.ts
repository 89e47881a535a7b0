import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { codeOf, UsageError } from '../../problem.ts';
import { NEWEST } from '../../operations.ts';
import type { Output } from '../io.ts';
import { failedCheck, suiteText } from '../text/suites.ts';
import { table } from '../text/table.ts';
import type { Args, Verb } from '../verb.ts';
import { finish } from './finish.ts';
import { environmentPath, REASON } from './options.ts';

export const backupCreate: Verb = {
  name: 'backup create',
  arguments: ['ENV'],
  summary: 'makes a backup and verifies it',
  options: { full: { help: 'with the files that the application keeps, beside the database' } },
  async run({ args, client, paint }) {
    const made = await client().change(
      'POST',
      `${environmentPath(args)}/backups`,
      { full: args.flag('full') },
      (answers) => answers.backup,
    );
    return {
      outcome: 'ok',
      details: made,
      text: `${paint.good('ok')}  ${made.id}, verified ${made.verifiedAt}`,
    };
  },
};

export const backupList: Verb = {
  name: 'backup list',
  arguments: ['ENV'],
  summary: 'the verified backups',
  options: {},
  async run({ args, client, paint }) {
    const kept = await client().get(`${environmentPath(args)}/backups`, (answers) => answers.backups);
    const head = ['backup', 'kind', 'verified'].map((name) => paint.quiet(name));
    const rows = kept.backups.map(({ id, kind, verifiedAt }) => [id, kind, verifiedAt]);
    return { outcome: 'ok', details: kept, text: rows.length === 0 ? 'no backup yet' : table(head, rows) };
  },
};

/** One backup in the API: the newest where none is named. */
function backupPath(args: Args): string {
  const id = args.optional('ID') ?? NEWEST;
  return `${environmentPath(args)}/backups/${encodeURIComponent(id)}`;
}

export const backupVerify: Verb = {
  name: 'backup verify',
  arguments: ['ENV', '[ID]'],
  summary: 'whether a backup can be restored (the newest)',
  options: {},
  async run({ args, client, paint }) {
    const found = await client().change(
      'POST',
      `${backupPath(args)}/verify`,
      {},
      (answers) => answers.backupVerification,
    );
    const outcome = found.success ? 'ok' : 'failed';
    const failed = found.checks.filter(({ success }) => !success);
    const title = `${paint.strong(paint.outcome(outcome))}  ${found.id}, ${found.checks.length} checks`;
    const text = [title, ...failed.flatMap((check) => failedCheck(check, paint))].join('\n');
    return { outcome, details: found, text };
  },
};

export const backupRestore: Verb = {
  name: 'backup restore',
  arguments: ['ENV', '[ID]'],
  summary: 'the live release on the data of a backup (the newest); rollback ENV --last undoes it',
  options: { reason: REASON },
  async run(context) {
    const { args, client } = context;
    const body = { reason: args.text('reason') };
    const started = await client().change(
      'POST',
      `${backupPath(args)}/restore`,
      body,
      (answers) => answers.deployment,
    );
    return finish(context, started);
  },
};

export const backupDrill: Verb = {
  name: 'backup drill',
  arguments: ['ENV', '[ID]'],
  summary: 'restores a backup (the newest) beside what is live and verifies the live release on it',
  options: {},
  async run({ args, client, paint }) {
    const report = await client().change(
      'POST',
      `${backupPath(args)}/drill`,
      {},
      (answers) => answers.drillReport,
    );
    const outcome = report.success ? 'ok' : 'failed';
    const title = `${paint.strong(paint.outcome(outcome))}  ${args.argument('ENV')} on ${report.id}`;
    return { outcome, details: report, text: `${title}\n${suiteText(report.suites, paint)}`.trimEnd() };
  },
};

export const backupExport: Verb = {
  name: 'backup export',
  arguments: ['ENV', '[ID]'],
  summary: 'writes a backup (the newest) as SQL text to stdout or a file',
  options: { output: { value: 'FILE', help: 'a new file instead of stdout' } },
  async run({ args, client, io, wantsJson, paint }) {
    const kept = await client().get(`${environmentPath(args)}/backups`, (answers) => answers.backups);
    const asked = args.optional('ID');
    const found = kept.backups.find(({ id }) => asked === undefined || id === asked);
    // The deployer says what is wrong with the id.
    const path = found ? `${environmentPath(args)}/backups/${found.id}` : backupPath(args);
    const sql = client().download(`${path}/export`);
    const to = args.text('output');
    if (to !== undefined) {
      const file = resolve(io.cwd, to);
      await writeNew(file, sql);
      return { outcome: 'ok', details: { ...found, file }, text: `${paint.good('ok')}  ${file}` };
    }
    if (wantsJson) {
      const pieces = await Array.fromAsync(sql);
      return { outcome: 'ok', details: { ...found, sql: pieces.join('') }, text: '' };
    }
    for await (const piece of sql) await write(io.stdout, piece);
    return { outcome: 'ok', details: found, text: '' };
  },
};

/** It holds what people entrusted to the application: nobody else may read it. */
async function writeNew(file: string, text: AsyncIterable<string>): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw new UsageError(`--output ${file} cannot be made (${codeOf(error)}): name a new file`);
  });
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    // Half an export looks like a whole one.
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function write(output: Output, text: string): Promise<void> {
  if (output.write(text) !== false || !output.once) return;
  const { promise, resolve: drained } = Promise.withResolvers<void>();
  output.once('drain', drained);
  await promise;
}
