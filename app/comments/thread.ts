import type { Knex } from 'knex';
import type { Comment } from './comments.ts';

const ROOTS_PER_PAGE = 20;
export const COMMENTS_PER_THREAD = 200;

export interface Thread {
  root: number;
  /** In reading order, a part of the whole. */
  comments: Comment[];
  /** How many the thread has in all, and how many of them come before this part. */
  size: number;
  skipped: number;
}

/** One page of threads, oldest first. `next`: the last root, when there are more. */
export async function threadsOf(
  db: Knex,
  docId: number,
  after: number,
): Promise<{ threads: Thread[]; next: number | null }> {
  const roots = await db('comments')
    .where({ doc_id: docId, parent_id: null })
    .andWhere('id', '>', after)
    .orderBy('id')
    .limit(ROOTS_PER_PAGE + 1)
    .pluck<number[]>('id');
  const shown = roots.slice(0, ROOTS_PER_PAGE);
  const threads = [];
  for (const root of shown) threads.push(await threadOf(db, docId, root, 0));
  return { threads, next: roots.length > shown.length ? (shown.at(-1) ?? null) : null };
}

/** A part of one thread. Only that part's texts are read, however long the thread is. */
export async function threadOf(db: Knex, docId: number, root: number, skipped: number): Promise<Thread> {
  const links = await linksOf(db, docId, root);
  const part = readingOrder(links).slice(skipped, skipped + COMMENTS_PER_THREAD);
  const rows = await db('comments')
    .join('users', 'users.id', 'comments.author_id')
    .whereIn('comments.id', part)
    .select<Comment[]>('comments.*', 'users.name as author');
  const byId = new Map(rows.map((comment) => [comment.id, comment]));
  const comments = part.flatMap((id) => byId.get(id) ?? []);
  return { root, comments, size: links.length, skipped };
}

interface Link {
  id: number;
  parent_id: number | null;
}

/** Each comment before its answers, answers by age. A stack of our own: a thread may be deeper than the call stack. */
export function readingOrder(links: Link[]): number[] {
  const answers = new Map<number, number[]>();
  const known = new Set(links.map(({ id }) => id));
  const stack: number[] = [];
  for (const { id, parent_id } of links.toReversed()) {
    const siblings = parent_id !== null && known.has(parent_id) ? answersTo(answers, parent_id) : stack;
    siblings.push(id);
  }
  const order: number[] = [];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    order.push(id);
    for (const answer of answers.get(id) ?? []) stack.push(answer);
  }
  return order;
}

function answersTo(answers: Map<number, number[]>, id: number): number[] {
  const list = answers.get(id) ?? [];
  answers.set(id, list);
  return list;
}

/** Where in the comments pages to find a comment, as a query. */
export async function placeOf(
  db: Knex,
  docId: number,
  comment: Pick<Comment, 'id' | 'root_id'>,
): Promise<string> {
  const root = comment.root_id ?? comment.id;
  const order = readingOrder(await linksOf(db, docId, root));
  const part = Math.floor(order.indexOf(comment.id) / COMMENTS_PER_THREAD);
  return part === 0 ? `after=${root - 1}` : `thread=${root}&skip=${part * COMMENTS_PER_THREAD}`;
}

async function linksOf(db: Knex, docId: number, root: number): Promise<Link[]> {
  return db('comments')
    .where({ doc_id: docId })
    .andWhere((either) => void either.where({ id: root }).orWhere({ root_id: root }))
    .orderBy('id')
    .select<Link[]>('id', 'parent_id');
}
