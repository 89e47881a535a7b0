import { UsageError } from '../../problem.ts';
import type { Verb } from '../verb.ts';
import { environmentPath, REASON } from './options.ts';

export const remove: Verb = {
  name: 'remove',
  arguments: ['ENV'],
  summary: 'takes an environment away that no branch holds any more; its data and backups stay',
  options: { reason: REASON },
  async run({ args, client, paint }) {
    const reason = args.text('reason');
    if (reason === undefined) throw new UsageError('remove needs --reason R: it is recorded');
    const gone = await client().change(
      'DELETE',
      environmentPath(args),
      { reason },
      (answers) => answers.removed,
    );
    const kept = gone.backup === null ? '' : `, and a backup of it all: backups/${gone.name}/${gone.backup}`;
    return {
      outcome: 'ok',
      details: gone,
      text: `${paint.good('removed')}  ${gone.name}; its data stays${kept}`,
    };
  },
};
