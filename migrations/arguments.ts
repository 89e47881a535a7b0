import path from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `usage: node migrations/run.ts status|up|down [--to NAME] [--directory DIR] [--json]

  status   what is applied and what is pending; writes nothing
  up       applies everything pending, or up to and including NAME
  down     takes back one, or everything newer than NAME

  --to NAME        the newest migration that is applied afterwards, "none" for nothing
  --directory DIR  where the migrations are (default: datatracker, next to run.ts)
  --json           one JSON object on stdout

The database is $DATABASE_FILE (SQLite) or $DATABASE_URL (PostgreSQL).
`;

export type Verb = 'status' | 'up' | 'down';

export type Target = { client: 'better-sqlite3'; file: string } | { client: 'pg'; url: string };

export interface Invocation {
  verb: Verb;
  /** The newest migration applied afterwards; `none`: nothing; null: not asked for. */
  to: string | null;
  directory: string;
  json: boolean;
  target: Target;
}

/** The command line or the environment is wrong; the message is for the person who typed it. */
export class UsageError extends Error {}

/** @throws {UsageError} when the arguments or the two database variables make no sense */
export function parseInvocation(argv: string[], env: NodeJS.ProcessEnv): Invocation {
  const { values, positionals } = parseWords(argv);
  const [verb, ...rest] = positionals;
  if (verb !== 'status' && verb !== 'up' && verb !== 'down') {
    throw new UsageError(verb === undefined ? 'no verb given' : `unknown verb "${verb}"`);
  }
  if (rest.length > 0) throw new UsageError(`unexpected argument "${rest.join(' ')}"`);
  if (verb === 'status' && values.to !== undefined) throw new UsageError('status takes no --to');
  return {
    verb,
    to: values.to ?? null,
    directory: path.resolve(values.directory ?? path.join(import.meta.dirname, 'datatracker')),
    json: values.json,
    target: parseTarget(env),
  };
}

function parseWords(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        to: { type: 'string' },
        directory: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function parseTarget(env: NodeJS.ProcessEnv): Target {
  const { DATABASE_FILE: file, DATABASE_URL: url } = env;
  if (file && url) throw new UsageError('both DATABASE_FILE and DATABASE_URL are set; set one');
  if (file) return { client: 'better-sqlite3', file: path.resolve(file) };
  if (!url) throw new UsageError('neither DATABASE_FILE nor DATABASE_URL is set');
  if (!/^postgres(ql)?:\/\//.test(url)) throw new UsageError('DATABASE_URL does not start with postgres://');
  return { client: 'pg', url };
}
