import { resultText } from '../text/deployment.ts';
import type { Verb } from '../verb.ts';
import { finish } from './finish.ts';
import { OVERRIDE, atMostOne, environmentPath, readOverride } from './options.ts';

export const deploy: Verb = {
  name: 'deploy',
  arguments: ['ENV'],
  summary: "deploys the environment's branch, another branch or a commit",
  options: {
    branch: { value: 'B', help: 'another branch (dev-like environments only)' },
    commit: { value: 'C', help: 'this commit' },
    wait: { help: 'until it has its outcome' },
    ...OVERRIDE,
  },
  async run(context) {
    const { args, paint } = context;
    atMostOne(args, 'branch', 'commit');
    const body = { branch: args.text('branch'), commit: args.text('commit'), ...readOverride(args) };
    const client = context.client();
    const stored = await client.change(
      'POST',
      `${environmentPath(args)}/deployments`,
      body,
      (answers) => answers.deployment,
    );
    if (args.flag('wait')) return finish(context, stored);
    return { outcome: 'ok', details: stored, text: resultText(stored, client.url, paint) };
  },
};
