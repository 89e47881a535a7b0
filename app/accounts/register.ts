import { z } from 'zod';
import { timestamp } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { emailAddress, personName } from '../http/text.ts';
import type { Role } from './users.ts';

export const newPassword = z
  .string('is required')
  .min(10, 'is at least 10 characters')
  .max(200, 'is at most 200 characters');

export const registration = z.object({ name: personName, email: emailAddress, password: newPassword });

/** Null: that address has an account already. Everybody starts as a reader. */
export async function createUser(
  trx: Transaction,
  person: { name: string; email: string; passwordHash: string; affiliation?: string; biography?: string },
  now: Date,
): Promise<number | null> {
  const { name, email, passwordHash, affiliation = '', biography = '' } = person;
  const taken = await trx('users').where({ email }).first<{ id: number } | undefined>('id');
  if (taken !== undefined) return null;
  const row = {
    name,
    email,
    password_hash: passwordHash,
    affiliation,
    biography,
    created_at: timestamp(now),
  };
  const [created] = await trx('users').insert(row).returning<{ id: number }[]>('id');
  if (created === undefined) throw new Error('the database did not return the new account');
  await grantRole(trx, created.id, 'reader', null, now);
  return created.id;
}

/** A role that is held already stays as it is. */
export async function grantRole(
  trx: Transaction,
  userId: number,
  role: Role,
  groupId: number | null,
  now: Date,
): Promise<void> {
  const row = { user_id: userId, role, group_id: groupId };
  const held = await trx('roles').where(row).first<{ id: number } | undefined>('id');
  if (held === undefined) await trx('roles').insert({ ...row, created_at: timestamp(now) });
}

export async function revokeRole(
  trx: Transaction,
  userId: number,
  role: Role,
  groupId: number | null,
): Promise<void> {
  await trx('roles').where({ user_id: userId, role, group_id: groupId }).delete();
}
