import { COMMAND } from '../../command.ts';
import { UsageError } from '../../problem.ts';
import type { Verb } from '../verb.ts';
import { REASON, environmentPath } from './options.ts';

export const lock: Verb = {
  name: 'lock',
  arguments: ['ENV'],
  summary: 'no deployments until unlocked',
  options: { reason: REASON },
  async run({ args, client, paint }) {
    const reason = args.text('reason');
    if (reason === undefined) throw new UsageError('lock needs --reason R: whoever is refused will read it');
    const locked = await client().change(
      'POST',
      `${environmentPath(args)}/lock`,
      { reason },
      (answers) => answers.environment,
    );
    const text = `${paint.warn('locked')}  ${locked.name}: ${reason}\n  next      ${COMMAND} unlock ${locked.name}`;
    return { outcome: 'ok', details: locked, text };
  },
};

export const unlock: Verb = {
  name: 'unlock',
  arguments: ['ENV'],
  summary: 'takes the lock away',
  options: {},
  async run({ args, client, paint }) {
    const free = await client().change(
      'DELETE',
      `${environmentPath(args)}/lock`,
      undefined,
      (answers) => answers.environment,
    );
    return { outcome: 'ok', details: free, text: `${paint.good('unlocked')}  ${free.name}` };
  },
};
