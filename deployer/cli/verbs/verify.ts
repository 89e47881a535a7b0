import { suiteText } from '../text/suites.ts';
import type { Verb } from '../verb.ts';
import { environmentPath } from './options.ts';

export const verify: Verb = {
  name: 'verify',
  arguments: ['ENV'],
  summary: 'runs the suites against what is live',
  options: { suite: { value: 'S', many: true, help: 'only this suite' } },
  async run({ args, client, paint }) {
    const body = { suites: args.list('suite') };
    const report = await client().change(
      'POST',
      `${environmentPath(args)}/verify`,
      body,
      (answers) => answers.verification,
    );
    const outcome = report.success ? 'ok' : 'failed';
    const title = `${paint.strong(paint.outcome(outcome))}  ${args.argument('ENV')}`;
    return { outcome, details: report, text: `${title}\n${suiteText(report.suites, paint)}`.trimEnd() };
  },
};
