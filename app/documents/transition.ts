import type { Knex } from 'knex';
import type { User } from '../accounts/users.ts';
import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { conflict, forbidden } from '../http/problem.ts';
import { rolesTowards, type Document } from './document.ts';
import { recordEvent } from './events.ts';
import { stateLabel, type State } from './state.ts';

interface Rule {
  to_state: State;
  role: string;
}

/** Where somebody may move this document to. The table in the database is the one place that says so. */
export async function possibleMoves(db: Knex, user: User | null, document: Document): Promise<State[]> {
  const roles = await rolesTowards(db, user, document);
  const rules = await rulesFrom(db, document.state);
  return [...new Set(rules.filter(({ role }) => roles.includes(role)).map((rule) => rule.to_state))];
}

/**
 * Moves a document, with an event. `values` are columns that the new state brings along.
 * @throws {Problem} 409 when the table knows no such move or somebody else was faster, 403 when it is not theirs to make
 */
export async function moveDocument(
  trx: Transaction,
  user: User,
  document: Document,
  to: State,
  now: Date,
  values: { ml_number?: number; published_at?: string; current_rev?: string } = {},
): Promise<void> {
  const rules = (await rulesFrom(trx, document.state)).filter((rule) => rule.to_state === to);
  const move = `from “${stateLabel(document.state)}” to “${stateLabel(to)}”`;
  if (rules.length === 0) throw conflict(`A document cannot go ${move}.`);
  const roles = await rolesTowards(trx, user, document);
  if (!rules.some(({ role }) => roles.includes(role)))
    throw forbidden(`It is not yours to take this document ${move}.`);
  const moved = await trx('documents')
    .where({ id: document.id, state: document.state, row_version: document.row_version })
    .update({ ...values, state: to, updated_at: timestamp(now), row_version: document.row_version + 1 });
  if (moved === 0) throw conflict('Somebody else changed this document meanwhile.');
  const number = values.ml_number === undefined ? {} : { number: values.ml_number };
  await recordEvent(trx, document.id, user.id, { type: 'state', from: document.state, to, ...number }, now);
}

function rulesFrom(db: Knex, from: State): Promise<Rule[]> {
  return db('state_transitions')
    .where({ subject: 'document', from_state: from })
    .select<Rule[]>('to_state', 'role');
}
