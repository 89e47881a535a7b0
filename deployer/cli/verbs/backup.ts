import { backup, backups } from '../../web/schemas.ts';
import { table } from '../text/table.ts';
import type { Verb } from '../verb.ts';
import { environmentPath } from './options.ts';

export const backupCreate: Verb = {
  name: 'backup create',
  arguments: ['ENV'],
  summary: 'makes a backup and verifies it',
  options: {},
  async run({ args, client, paint }) {
    const made = await client().change('POST', `${environmentPath(args)}/backups`, {}, backup);
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
    const kept = await client().get(`${environmentPath(args)}/backups`, backups);
    const head = ['backup', 'kind', 'verified'].map((name) => paint.quiet(name));
    const rows = kept.backups.map(({ id, kind, verifiedAt }) => [id, kind, verifiedAt]);
    return { outcome: 'ok', details: kept, text: rows.length === 0 ? 'no backup yet' : table(head, rows) };
  },
};
