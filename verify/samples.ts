import type { Reader } from './database/reader.ts';

/** Values for the parameters of a route's path. */
export interface Sample {
  /** False: the database has no such row, and the parameters name one that does not exist. */
  found: boolean;
  parameters: Record<string, string>;
}

interface Source {
  sql: string;
  absent: Record<string, string>;
}

const NOWHERE = 'draft-verify-absent-document';

/** Where the parameters of paths come from: the first row that has what the route is about. */
const SOURCES = {
  none: { sql: 'select 1 as one', absent: {} },
  /** Not of the database: a file that every release has. */
  asset: { sql: "select 'site.css' as name", absent: {} },
  document: { sql: 'select name from documents order by id limit 1', absent: { name: NOWHERE } },
  revision: {
    sql: 'select name, current_rev as rev from documents order by id limit 1',
    absent: { name: NOWHERE, rev: '00' },
  },
  file: {
    sql: `select d.name, r.rev, d.name || '-' || r.rev || '.' || f.format as file
      from revision_files f join revisions r on r.id = f.revision_id join documents d on d.id = r.doc_id
      where f.format <> 'pdf' order by f.id limit 1`,
    absent: { name: NOWHERE, rev: '00', file: `${NOWHERE}-00.txt` },
  },
  comment: {
    sql: `select d.name, c.id from comments c join documents d on d.id = c.doc_id
      where c.deleted_at is null order by c.id limit 1`,
    absent: { name: NOWHERE, id: '999999999' },
  },
  group: { sql: 'select acronym from groups order by id limit 1', absent: { acronym: 'verify-absent' } },
  person: {
    sql: 'select id from users where disabled_at is null order by id limit 1',
    absent: { id: '999999999' },
  },
  submission: { sql: 'select id from submissions order by id limit 1', absent: { id: '999999999' } },
} satisfies Record<string, Source>;

export type SampleName = keyof typeof SOURCES;

export type Samples = (name: SampleName) => Promise<Sample>;

/** Each sample is read once. */
export function createSamples(reader: Reader): Samples {
  const known = new Map<SampleName, Promise<Sample>>();
  return (name) => {
    const sample = known.get(name) ?? read(reader, SOURCES[name]);
    known.set(name, sample);
    return sample;
  };
}

async function read(reader: Reader, { sql, absent }: Source): Promise<Sample> {
  const [row] = await reader.all<Record<string, unknown>>(sql);
  if (row === undefined) return { found: false, parameters: absent };
  return {
    found: true,
    parameters: Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(value)])),
  };
}

/** Puts the parameters into an Express path; optional parts (`{…}`) are filled too. */
export function fill(path: string, parameters: Record<string, string>): string {
  return path.replace(/[{}]/g, '').replace(/[:*](\w+)/g, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new Error(`no sample gives a value for :${name}`);
    return encodeURIComponent(value);
  });
}
