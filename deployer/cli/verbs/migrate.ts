import { loadAnswers } from '../answers.ts';
import type { Verb } from '../verb.ts';
import { finish } from './finish.ts';
import { environmentPath } from './options.ts';

export const migrateStatus: Verb = {
  name: 'migrate status',
  arguments: ['ENV'],
  summary: 'applied and pending migrations',
  options: {},
  async run({ args, client, paint }) {
    const report = await client().get(`${environmentPath(args)}/migrations`, (answers) => answers.migrations);
    const lines = [
      ...report.applied.map((name) => `  ${paint.good('applied')}  ${name}`),
      ...report.pending.map((name) => `  ${paint.warn('pending')}  ${name}`),
    ];
    const title = `${report.applied.length} applied, ${report.pending.length} pending`;
    const failed = report.error === null ? [] : [paint.bad(report.error.message)];
    return {
      outcome: report.success ? 'ok' : 'failed',
      details: report,
      text: [title, ...failed, ...lines].join('\n'),
    };
  },
};

export const migrateRehearse: Verb = {
  name: 'migrate rehearse',
  arguments: ['ENV'],
  summary: 'rehearses the pending migrations on a copy; nothing live is touched',
  options: {},
  async run(context) {
    const { args, client } = context;
    const started = await client().change(
      'POST',
      `${environmentPath(args)}/rehearsals`,
      {},
      (answers) => answers.deployment,
    );
    const result = await finish(context, started);
    const path = `${environmentPath(args)}/migrations?rehearsal=${encodeURIComponent(started.id)}`;
    const report = await client().get(path, (answers) => answers.migrations);
    const success = result.outcome === 'ok' || result.outcome === 'deployed';
    const { cause } = (await loadAnswers()).deployment.parse(result.details);
    const error = success ? null : { migration: null, message: cause ?? result.outcome, location: null };
    return { ...result, details: { ...report, success, error, deployment: result.details } };
  },
};
