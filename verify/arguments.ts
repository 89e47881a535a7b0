import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

export const SUITE_NAMES = ['service', 'routes', 'database', 'content', 'integrity', 'regressions'] as const;

export type SuiteName = (typeof SUITE_NAMES)[number];

export const USAGE = `usage: node verify/run.ts --url U [--socket PATH] [--suite S]… [--baseline FILE] [--json]

  --url U            the instance's address
  --socket PATH      ask over this Unix socket instead; U then gives host and scheme
  --suite S          ${SUITE_NAMES.join(', ')} (default: all)
  --baseline FILE    {"tables": {"NAME": {"rows", "digest"}}} that the data must be equal to
  --timeout SECONDS  for one request (default: 10)
  --json             one JSON object on stdout

The database, only read, is $DATABASE_FILE (SQLite) or $DATABASE_URL (PostgreSQL).
`;

export interface Invocation {
  url: string;
  socket: string | null;
  suites: SuiteName[];
  baseline: string | null;
  /** For one request. */
  timeoutMs: number;
  json: boolean;
}

/** The command line or the environment is wrong; the message is for the person who typed it. */
export class UsageError extends Error {}

/** @throws {UsageError} */
export function parseInvocation(argv: string[]): Invocation {
  const values = parseWords(argv);
  if (values.url === undefined) throw new UsageError('--url is missing');
  if (!URL.canParse(values.url)) throw new UsageError(`--url is no address: "${values.url}"`);
  const url = new URL(values.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new UsageError('--url is neither http nor https');
  const seconds = Number(values.timeout);
  if (!(seconds > 0)) throw new UsageError('--timeout is no number of seconds');
  if (values.baseline !== undefined && !existsSync(values.baseline)) {
    throw new UsageError(`--baseline does not exist: ${values.baseline}`);
  }
  return {
    url: url.href,
    socket: values.socket ?? null,
    suites: values.suite === undefined ? [...SUITE_NAMES] : values.suite.map(parseSuite),
    baseline: values.baseline ?? null,
    timeoutMs: seconds * 1000,
    json: values.json,
  };
}

function parseWords(argv: string[]) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        url: { type: 'string' },
        socket: { type: 'string' },
        suite: { type: 'string', multiple: true },
        baseline: { type: 'string' },
        timeout: { type: 'string', default: '10' },
        json: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function parseSuite(text: string): SuiteName {
  const suite = SUITE_NAMES.find((name) => name === text);
  if (suite === undefined)
    throw new UsageError(`unknown suite "${text}"; there are: ${SUITE_NAMES.join(', ')}`);
  return suite;
}
