import type { Knex } from 'knex';
import { z } from 'zod';
import { fullTextQuery, whereTextMatches } from '../database/sqlite.ts';
import { parseNumber, STATES, type State } from './state.ts';

const PAGE_SIZE = 20;

const SORTS = {
  updated: { label: 'Last changed', column: 'documents.updated_at', direction: 'desc' },
  created: { label: 'Newest', column: 'documents.created_at', direction: 'desc' },
  title: { label: 'Title', column: 'documents.title', direction: 'asc' },
  name: { label: 'Name', column: 'documents.name', direction: 'asc' },
} as const;

type Sort = keyof typeof SORTS;

export const SORT_LABELS = Object.entries(SORTS).map(([sort, { label }]) => [sort, label] as const);

/** What the list is asked for. What makes no sense is dropped, so that every address shows something. */
export const listQuery = z.object({
  q: z.string().trim().max(200).catch(''),
  state: z.enum(STATES).or(z.literal('')).catch(''),
  group: z
    .string()
    .regex(/^[a-z0-9-]{0,20}$/)
    .catch(''),
  author: z.string().trim().max(100).catch(''),
  sort: z.enum(['updated', 'created', 'title', 'name']).catch('updated'),
  after: z.string().max(600).catch(''),
});

export type ListQuery = z.infer<typeof listQuery>;

export interface ListedDocument {
  id: number;
  name: string;
  title: string;
  abstract: string;
  state: State;
  current_rev: string;
  ml_number: number | null;
  created_at: string;
  updated_at: string;
  published_at: string | null;
  acronym: string | null;
}

export interface Listing {
  documents: ListedDocument[];
  /** How many match in all. */
  total: number;
  /** The `after` of the next page; null: this is the last. */
  next: string | null;
}

/**
 * One page of the documents that match. Pages are cut by key, not by offset: a row that arrives or leaves
 * meanwhile neither repeats nor hides another, and equal sort keys are told apart by id.
 */
export async function listDocuments(db: Knex, query: ListQuery, size = PAGE_SIZE): Promise<Listing> {
  const matching = filter(db, query);
  const [{ total } = { total: 0 }] = await matching.clone().count<{ total: number }[]>('* as total');
  const { column, direction } = SORTS[query.sort];
  const page = matching
    .select<ListedDocument[]>('documents.*', 'groups.acronym')
    .orderBy([
      { column, order: direction },
      { column: 'documents.id', order: direction },
    ])
    .limit(size + 1);
  const after = parseCursor(query.after);
  if (after !== null) {
    page.whereRaw(`(${column}, documents.id) ${direction === 'asc' ? '>' : '<'} (?, ?)`, after);
  }
  const rows: ListedDocument[] = await page;
  const documents = rows.slice(0, size);
  const last = documents.at(-1);
  const more = rows.length > size && last !== undefined;
  return { documents, total, next: more ? cursorOf(last, query.sort) : null };
}

function filter(db: Knex, { q, state, group, author }: ListQuery): Knex.QueryBuilder {
  const query = db('documents').leftJoin('groups', 'groups.id', 'documents.group_id');
  if (state !== '') query.where('documents.state', state);
  if (group !== '') query.where('groups.acronym', group);
  if (author !== '') {
    const pattern = `%${author.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    query.whereExists((authors) => {
      void authors
        .from('authors')
        .whereRaw(`authors.doc_id = documents.id AND authors.name LIKE ? ESCAPE '\\'`, [pattern]);
    });
  }
  const number = parseNumber(q);
  const match = fullTextQuery(q);
  if (number !== null) query.where('documents.ml_number', number);
  else if (match !== null) whereTextMatches(query, match);
  else if (q !== '') query.whereRaw('1 = 0');
  return query;
}

const cursorShape = z.tuple([z.string(), z.number().int()]);

function parseCursor(text: string): [string, number] | null {
  try {
    return cursorShape.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return null;
  }
}

function cursorOf(document: ListedDocument, sort: Sort): string {
  const values = {
    updated: document.updated_at,
    created: document.created_at,
    title: document.title,
    name: document.name,
  };
  return Buffer.from(JSON.stringify([values[sort], document.id])).toString('base64url');
}
