import type { Knex } from 'knex';

export type Role = 'reader' | 'author' | 'member' | 'chair' | 'approver' | 'administrator';

export interface User {
  id: number;
  email: string;
  name: string;
  roles: { role: Role; groupId: number | null }[];
}

interface UserRow {
  id: number;
  email: string;
  name: string;
}

/** Null for nobody, and for an account that was disabled. */
export async function findUser(db: Knex, id: number): Promise<User | null> {
  const row = await db('users')
    .where({ id })
    .whereNull('disabled_at')
    .first<UserRow | undefined>('id', 'email', 'name');
  if (row === undefined) return null;
  const roles = await db('roles')
    .where({ user_id: id })
    .select<{ role: Role; groupId: number | null }[]>('role', 'group_id as groupId');
  return { ...row, roles };
}

/** A role that holds everywhere, or in this group. */
export function hasRole(user: User | null, role: Role, groupId: number | null = null): boolean {
  return (
    user?.roles.some((held) => held.role === role && (held.groupId === null || held.groupId === groupId)) ??
    false
  );
}

/** A role that holds everywhere. */
export function holdsAny(user: User | null, roles: readonly string[]): boolean {
  return user?.roles.some((held) => held.groupId === null && roles.includes(held.role)) ?? false;
}
