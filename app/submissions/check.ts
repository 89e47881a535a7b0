import type { Knex } from 'knex';
import { z } from 'zod';
import type { User } from '../accounts/users.ts';
import { findDocument, FORMATS, rolesTowards, type Format } from '../documents/document.ts';
import type { Form } from '../http/body.ts';
import { fieldErrors, line, paragraphs, type FieldErrors } from '../http/text.ts';
import { parseAuthors, type SubmittedAuthor } from './authors.ts';
import { checkText, type Finding } from './check-text.ts';
import { nameProblem, nextRevision } from './name.ts';

const fields = z.object({
  name: line(200),
  rev: line(2).refine((text) => /^\d\d$/.test(text), 'is two digits'),
  title: line(200),
  abstract: paragraphs(5000),
  authors: paragraphs(5000),
  group: z
    .string()
    .regex(/^[a-z0-9-]{0,20}$/, 'is unknown')
    .default(''),
});

export interface Candidate {
  name: string;
  rev: string;
  title: string;
  abstract: string;
  authors: SubmittedAuthor[];
  groupId: number | null;
  format: Format;
  bytes: Buffer;
}

/** A candidate may have findings that are no errors; what has errors is not stored. */
export type Checked =
  | { ok: true; candidate: Candidate; findings: Finding[] }
  | { ok: false; errors: FieldErrors; findings: Finding[] };

export async function checkSubmission(db: Knex, user: User, form: Form): Promise<Checked> {
  const given = fields.safeParse(Object.fromEntries(form.fields));
  const errors: FieldErrors = given.success ? {} : fieldErrors(given.error);
  const file = fileOf(form);
  if (file === null) errors['file'] = 'is missing: choose a .txt, .md, .xml or .pdf file, or paste the text';
  const authors = parseAuthors(form.fields.get('authors') ?? '');
  if (typeof authors === 'string') errors['authors'] ??= authors;
  const findings = file === null ? [] : checkText(file.format, file.bytes);
  const broken = findings.some(({ severity }) => severity === 'error');
  if (!given.success || file === null || typeof authors === 'string' || broken)
    return { ok: false, errors, findings };

  const { group, authors: _, ...rest } = given.data;
  const refusal = await placeProblem(db, user, rest.name, rest.rev);
  const groupRow = await db('groups')
    .where({ acronym: group, state: 'active' })
    .first<{ id: number } | undefined>('id');
  if (refusal !== null) return { ok: false, errors: refusal, findings };
  if (group !== '' && groupRow === undefined) return { ok: false, errors: { group: 'is unknown' }, findings };
  return { ok: true, candidate: { ...rest, authors, groupId: groupRow?.id ?? null, ...file }, findings };
}

/** Whether this person may put this revision under this name. Null: yes. Asked again when it is confirmed. */
export async function placeProblem(
  db: Knex,
  user: User,
  name: string,
  rev: string,
): Promise<FieldErrors | null> {
  const problem = nameProblem(name);
  if (problem !== null) return { name: `is not a draft's name. ${problem}`.replace(/\.$/, '') };
  const document = await findDocument(db, name);
  const expected = nextRevision(document?.current_rev ?? null);
  if (expected === null) return { rev: 'cannot go beyond 99; choose a new name' };
  if (rev !== expected)
    return { rev: `must be ${expected}, the one after ${document?.current_rev ?? 'nothing'}` };
  if (document === undefined) return null;
  if (!['active', 'last-call', 'expired'].includes(document.state)) {
    return { name: `belongs to a document that is ${document.state} and takes no new revisions` };
  }
  const roles = await rolesTowards(db, user, document);
  if (roles.includes('author') || roles.includes('chair')) return null;
  return { name: 'is taken: only its authors and the chairs of its group can post a new revision' };
}

function fileOf(form: Form): { format: Format; bytes: Buffer } | null {
  const pasted = form.fields.get('text') ?? '';
  if (form.file === null)
    return pasted.trim() === ''
      ? null
      : { format: 'md', bytes: Buffer.from(pasted.replaceAll('\r\n', '\n')) };
  const extension = z.enum(FORMATS).safeParse(form.file.name.split('.').at(-1)?.toLowerCase());
  return extension.success ? { format: extension.data, bytes: form.file.bytes } : null;
}
