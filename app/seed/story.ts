import { createUser, grantRole } from '../accounts/register.ts';
import { findUser, type User } from '../accounts/users.ts';
import { timestamp } from '../clock.ts';
import { addComment } from '../comments/comments.ts';
import type { Database, Transaction } from '../database/database.ts';
import { publishDocument } from '../documents/approval.ts';
import { requireDocument } from '../documents/document.ts';
import type { FileStore } from '../documents/files.ts';
import type { State } from '../documents/state.ts';
import { moveDocument } from '../documents/transition.ts';
import { approveSubmission } from '../submissions/approve.ts';
import { checkText } from '../submissions/check-text.ts';
import { confirmSubmission } from '../submissions/confirm.ts';
import { requireSubmission, storeSubmission } from '../submissions/submission.ts';
import { THREADS, type SampleComment } from './comments.ts';
import { DOCUMENTS, type SampleDocument } from './documents.ts';
import { emailOf, GROUPS, PEOPLE } from './people.ts';
import { sampleText } from './text.ts';

export interface Teller {
  database: Database;
  files: FileStore;
  /** The present: everything is told as having happened before it. */
  now: Date;
  deploymentId: string;
}

export interface Told {
  people: number;
  documents: number;
  comments: number;
}

const DAY = 24 * 3600 * 1000;

/** Makes the sample data through the same functions as the pages, so that events, numbers and audit are as they would be. */
export async function tellStory(teller: Teller, passwordHash: string): Promise<Told> {
  const users = await makePeople(teller, passwordHash);
  let comments = 0;
  for (const [index, document] of DOCUMENTS.entries()) {
    const begun = new Date(teller.now.getTime() - (DOCUMENTS.length - index) * 6 * DAY - 20 * DAY);
    await makeDocument(teller, users, document, begun);
    comments += await discuss(teller, users, document, index, begun);
  }
  return { people: users.length, documents: DOCUMENTS.length, comments };
}

async function makePeople(teller: Teller, passwordHash: string): Promise<User[]> {
  const founded = new Date(teller.now.getTime() - 400 * DAY);
  return as(teller, null, async (trx) => {
    const groups = new Map<string, number>();
    for (const group of GROUPS) {
      const [created] = await trx('groups')
        .insert({ ...group, created_at: timestamp(founded) })
        .returning<{ id: number }[]>('id');
      groups.set(group.acronym, known(created?.id, group.acronym));
    }
    const users: User[] = [];
    for (const { roles, ...person } of PEOPLE) {
      const account = { ...person, email: emailOf(person.name), passwordHash };
      const id = known(await createUser(trx, account, founded), person.name);
      for (const [role, group] of roles) {
        await grantRole(trx, id, role, group === undefined ? null : known(groups.get(group), group), founded);
      }
      users.push(known(await findUser(trx, id), person.name));
    }
    return users;
  });
}

async function makeDocument(
  teller: Teller,
  users: User[],
  sample: SampleDocument,
  begun: Date,
): Promise<void> {
  const [, , , state, revisions] = sample;
  let submission = 0;
  for (let revision = 0; revision < revisions; revision += 1) {
    submission = await postRevision(
      teller,
      users,
      sample,
      revision,
      new Date(begun.getTime() + revision * 2 * DAY),
    );
  }
  const [administrator, approver] = users;
  const later = new Date(Math.min(begun.getTime() + (revisions * 2 + 1) * DAY, teller.now.getTime()));
  const author = at(users, sample[5][0]);
  if (state === 'approved' || state === 'published') {
    await as(teller, approver, async (trx, user) =>
      approveSubmission(trx, user, await requireSubmission(trx, String(submission)), later),
    );
  }
  const mover: Partial<Record<State, User | undefined>> = {
    'last-call': approver,
    published: administrator,
    expired: administrator,
    withdrawn: author,
  };
  const who = mover[state];
  if (who !== undefined) await as(teller, who, (trx, user) => move(trx, user, sample, state, later));
}

async function move(
  trx: Transaction,
  user: User,
  [name]: SampleDocument,
  state: State,
  when: Date,
): Promise<void> {
  const document = await requireDocument(trx, `draft-${name}`);
  if (state === 'published') await publishDocument(trx, user, document, when);
  else await moveDocument(trx, user, document, state, when);
}

async function postRevision(
  teller: Teller,
  users: User[],
  [name, title, group, , , authors, abstract]: SampleDocument,
  revision: number,
  when: Date,
): Promise<number> {
  const text = sampleText(title, abstract, revision);
  const bytes = Buffer.from(text);
  const key = await teller.files.put(bytes);
  return as(teller, at(users, authors[0]), async (trx, user) => {
    const row = await trx('groups').where({ acronym: group }).first<{ id: number } | undefined>('id');
    const candidate = {
      name: `draft-${name}`,
      rev: String(revision).padStart(2, '0'),
      title,
      abstract,
      authors: authors
        .map((place) => at(users, place))
        .map(({ name: author, email }) => ({ name: author, email })),
      groupId: row?.id ?? null,
      format: 'md' as const,
      bytes,
    };
    const id = await storeSubmission(trx, user, candidate, key, checkText('md', bytes), when);
    await confirmSubmission(trx, user, await requireSubmission(trx, String(id)), text, when);
    return id;
  });
}

/** A few threads for each document, other ones each time. */
async function discuss(
  teller: Teller,
  users: User[],
  [name]: SampleDocument,
  index: number,
  begun: Date,
): Promise<number> {
  const threads = THREADS.filter((_, place) => (place + index) % 3 === 0 && index % 8 !== 3);
  let count = 0;
  const say = async (comment: SampleComment, parent: number | null): Promise<void> => {
    count += 1;
    const when = new Date(begun.getTime() + DAY + count * 3 * 3600 * 1000);
    const id = await as(teller, at(users, comment.by), async (trx, user) => {
      const document = await requireDocument(trx, `draft-${name}`);
      return addComment(trx, user, document.id, parent, comment.text, when);
    });
    for (const answer of comment.answers ?? []) await say(answer, id);
  };
  for (const thread of threads) await say(thread, null);
  return count;
}

async function as<T>(
  { database, deploymentId }: Teller,
  actor: User | null | undefined,
  work: (trx: Transaction, user: User) => Promise<T>,
): Promise<T> {
  const origin = { actorId: actor?.id ?? null, deploymentId, requestId: 'seed' };
  return database.write(origin, async (trx) => {
    const user = actor ?? { id: 0, email: '', name: '', roles: [] };
    return work(
      trx,
      actor === undefined || actor === null ? user : ((await findUser(trx, actor.id)) ?? user),
    );
  });
}

function at(users: User[], place: number | undefined): User {
  return known(place === undefined ? undefined : users[place], `person ${place}`);
}

function known<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`the sample data has no ${what}`);
  return value;
}
