import type { Verb } from '../verb.ts';
import { finish } from './finish.ts';
import { OVERRIDE, readOverride } from './options.ts';

export const promote: Verb = {
  name: 'promote',
  arguments: ['FROM', 'TO'],
  summary: "merges FROM's branch into TO's on the forge, and waits for the deployment",
  options: OVERRIDE,
  async run(context) {
    const { args } = context;
    const path = `/api/environments/${encodeURIComponent(args.argument('TO'))}/promotions`;
    const body = { from: args.argument('FROM'), ...readOverride(args) };
    return finish(
      context,
      await context.client().change('POST', path, body, (answers) => answers.deployment),
    );
  },
};
