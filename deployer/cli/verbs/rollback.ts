import type { Verb } from '../verb.ts';
import { finish } from './finish.ts';
import { REASON, atMostOne, environmentPath } from './options.ts';

export const rollback: Verb = {
  name: 'rollback',
  arguments: ['ENV'],
  summary: 'back to an earlier release, database included',
  options: {
    last: { help: 'to the release before this one (the default)' },
    'to-commit': { value: 'C', help: 'to the release of this commit' },
    'to-version': { value: 'TAG', help: 'to the release of this tag' },
    'restore-backup': {
      help: 'from the backup, where migrations cannot be taken back; says what that drops',
    },
    reason: REASON,
  },
  async run(context) {
    const { args } = context;
    atMostOne(args, 'last', 'to-commit', 'to-version');
    const commit = args.text('to-commit');
    const version = args.text('to-version');
    const body = {
      ...(commit === undefined && version === undefined && { last: true }),
      commit,
      version,
      ...(args.flag('restore-backup') && { restoreBackup: true }),
      reason: args.text('reason'),
    };
    const path = `${environmentPath(args)}/rollback`;
    return finish(
      context,
      await context.client().change('POST', path, body, (answers) => answers.deployment),
    );
  },
};
