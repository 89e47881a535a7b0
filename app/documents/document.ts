import type { Knex } from 'knex';
import { hasRole, type User } from '../accounts/users.ts';
import { notFound } from '../http/problem.ts';
import type { ListedDocument } from './list.ts';

export interface Document extends ListedDocument {
  group_id: number | null;
  group_name: string | null;
  row_version: number;
}

export interface Author {
  name: string;
  email: string;
  user_id: number | null;
}

export interface Revision {
  id: number;
  rev: string;
  title: string;
  abstract: string;
  sha256: string;
  submitted_by: number | null;
  created_at: string;
  format: Format;
  bytes: number;
  storage_key: string;
}

export const FORMATS = ['txt', 'md', 'xml', 'pdf'] as const;
export type Format = (typeof FORMATS)[number];

export async function findDocument(db: Knex, name: string): Promise<Document | undefined> {
  return db('documents')
    .leftJoin('groups', 'groups.id', 'documents.group_id')
    .where('documents.name', name)
    .first<Document | undefined>('documents.*', 'groups.acronym', 'groups.name as group_name');
}

/** @throws {Problem} 404 */
export async function requireDocument(db: Knex, name: string | undefined): Promise<Document> {
  const document = await findDocument(db, name ?? '');
  if (document === undefined) throw notFound('This document');
  return document;
}

export async function authorsOf(db: Knex, docId: number): Promise<Author[]> {
  return db('authors')
    .where({ doc_id: docId })
    .orderBy('position')
    .select<Author[]>('name', 'email', 'user_id');
}

/** Newest first. */
export async function revisionsOf(db: Knex, docId: number): Promise<Revision[]> {
  return db('revisions')
    .join('revision_files', 'revision_files.revision_id', 'revisions.id')
    .where({ doc_id: docId })
    .orderBy('rev', 'desc')
    .select<Revision[]>('revisions.*', 'format', 'bytes', 'storage_key');
}

/** The roles that somebody has towards this document, as the transition table names them. */
export async function rolesTowards(
  db: Knex,
  user: User | null,
  document: Pick<Document, 'id' | 'group_id'>,
): Promise<string[]> {
  if (user === null) return [];
  const roles = (['approver', 'administrator'] as const).filter((role) => hasRole(user, role));
  const chair = hasRole(user, 'chair', document.group_id) ? ['chair'] : [];
  return [...roles, ...chair, ...((await isAuthor(db, user.id, document.id)) ? ['author'] : [])];
}

/** Named as an author, or the one who submitted a revision. */
async function isAuthor(db: Knex, userId: number, docId: number): Promise<boolean> {
  const named = await db('authors').where({ doc_id: docId, user_id: userId }).first<object | undefined>('id');
  if (named !== undefined) return true;
  const submitted = await db('revisions')
    .where({ doc_id: docId, submitted_by: userId })
    .first<object | undefined>('id');
  return submitted !== undefined;
}
