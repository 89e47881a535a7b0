import { wholeText } from '../text/deployment.ts';
import type { Verb } from '../verb.ts';
import { deploymentPath } from './options.ts';

export const show: Verb = {
  name: 'show',
  arguments: ['DEPLOYMENT'],
  summary: 'one deployment with stages, timings and failed checks',
  options: {},
  async run({ args, client, paint }) {
    const found = await client().get(deploymentPath(args), (answers) => answers.deployment);
    return { outcome: 'ok', details: found, text: wholeText(found, client().url, paint) };
  },
};
