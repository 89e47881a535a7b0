import { notFound } from '../http/problem.ts';
import { json, type Reply } from '../http/reply.ts';
import type { Visit } from '../http/visit.ts';
import { authorsOf, requireDocument, revisionsOf, type Format } from './document.ts';
import { formatNumber } from './state.ts';

export async function documentJson(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const document = await requireDocument(db, visit.params['name']);
  const [authors, revisions] = await Promise.all([authorsOf(db, document.id), revisionsOf(db, document.id)]);
  return json({
    name: document.name,
    rev: document.current_rev,
    title: document.title,
    abstract: document.abstract,
    state: document.state,
    ml_number: document.ml_number === null ? null : formatNumber(document.ml_number),
    group: document.acronym,
    // addresses of authors are for correspondence, not for harvesting
    authors: authors.map(({ name }) => ({ name })),
    published_at: document.published_at,
    updated_at: document.updated_at,
    revisions: revisions.map(({ rev, format, bytes, sha256, created_at }) => ({
      rev,
      format,
      bytes,
      sha256,
      created_at,
    })),
  });
}

export async function documentBibtex(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const document = await requireDocument(db, visit.params['name']);
  const authors = await authorsOf(db, document.id);
  const day = document.published_at ?? document.updated_at;
  const number = document.ml_number === null ? [] : [['number', formatNumber(document.ml_number)]];
  const fields = [
    ['author', authors.map(({ name }) => escapeTex(name)).join(' and ')],
    ['title', `{${escapeTex(document.title)}}`],
    ['institution', 'Meta-Layer Task Force'],
    ['type', document.state === 'published' ? 'MLTF Document' : 'MLTF Draft'],
    ...number,
    ['year', day.slice(0, 4)],
    ['month', String(Number(day.slice(5, 7)))],
    ['note', `${document.name}-${document.current_rev}`],
  ];
  const body = fields.map(([name, value]) => `  ${name} = {${value}},\n`).join('');
  return {
    kind: 'text',
    type: 'text/plain; charset=utf-8',
    text: `@techreport{${document.name},\n${body}}\n`,
  };
}

/** The file as it was sent: never as something that a browser would run. */
export async function documentFile(visit: Visit): Promise<Reply> {
  const { name, rev, file } = visit.params;
  const db = visit.services.database.read;
  const document = await requireDocument(db, name);
  const revision = (await revisionsOf(db, document.id)).find((candidate) => candidate.rev === rev);
  if (revision === undefined || file !== `${document.name}-${rev}.${revision.format}`)
    throw notFound('This file');
  const bytes = await visit.services.files.get(revision.storage_key);
  return { kind: 'bytes', bytes, filename: file, ...SERVED_AS[revision.format] };
}

const TEXT = { type: 'text/plain; charset=utf-8', disposition: 'inline' } as const;
const SERVED_AS: Record<Format, { type: string; disposition: 'inline' | 'attachment' }> = {
  txt: TEXT,
  md: TEXT,
  xml: TEXT,
  pdf: { type: 'application/pdf', disposition: 'attachment' },
};

function escapeTex(text: string): string {
  return text.replaceAll(/[\\{}$&#^_%~]/g, (character) => TEX[character] ?? `\\${character}`);
}

const TEX: Record<string, string> = {
  '\\': String.raw`\textbackslash{}`,
  '^': String.raw`\^{}`,
  '~': String.raw`\~{}`,
};
