import { oneLine } from '../../problem.ts';

/** What a commit's message expects of the pages, as docs/expectations.md describes it. */
export interface Expectation {
  method: 'GET' | 'HEAD';
  /** Begins with one slash; may have a query. */
  path: string;
  /** What the answer's status may be. */
  status: readonly number[];
  /** What the body is to hold, or not to hold; null: nothing is said of it. */
  text: string | null;
  /** `Expect-Gone` of a text: it must not be there. */
  gone: boolean;
}

/** One line of a message: what it expects, or why it cannot be understood. */
export type Trailer = { line: string } & ({ expectation: Expectation } | { problem: string });

export const GRAMMAR = 'Expect: GET /path [status 200] [contains "text"]';
export const GONE_GRAMMAR = 'Expect-Gone: GET /path [contains "text"]';

const MOST_LETTERS = 2000;
/** Of a message; what comes after that is not looked at. */
const MOST_OF_A_MESSAGE = 65_536;

/** The trailers of a commit message, wherever in it they stand: a squashed message keeps those of each commit in its middle. */
export function trailersOf(message: string): Trailer[] {
  return message
    .slice(0, MOST_OF_A_MESSAGE)
    .split(/\r?\n/)
    .flatMap((line) => {
      const match = /^(expect(?:-gone)?):(.*)$/is.exec(line);
      if (!match) return [];
      const [, key = '', rest = ''] = match;
      const gone = key.length > 'expect'.length;
      const parsed = line.length > MOST_LETTERS ? tooLong(line) : parse(rest.trim(), gone);
      return [{ line: oneLine(line, 120), ...parsed }];
    });
}

type Parsed = { expectation: Expectation } | { problem: string };

const tooLong = (line: string): Parsed => ({
  problem: `it has ${line.length} characters, at most ${MOST_LETTERS} are read`,
});

function parse(text: string, gone: boolean): Parsed {
  const [, method = '', path = '', rest = ''] = /^(\S+)(?:\s+(\S+))?(.*)$/s.exec(text) ?? [];
  if (method !== 'GET' && method !== 'HEAD')
    return { problem: `it begins with ${named(method)}, not with GET or HEAD` };
  if (!/^\/(?!\/)[\x21-\x7e]*$/.test(path) || path.includes('#'))
    return {
      problem: `${named(path)} is no path: it begins with one /, and what is not ASCII is percent-encoded`,
    };
  const words = /^(?:\s+status\s+([1-5]\d\d))?(?:\s+contains\s+("(?:[^"\\]|\\.)*"))?\s*$/.exec(rest);
  if (!words) return { problem: `${named(rest.trim())} is neither status 200 nor contains "text"` };
  const quoted = words[2] === undefined ? null : unquote(words[2]);
  if (quoted === '') return { problem: 'the text between the quotes is empty, or not quoted as in JSON' };
  if (quoted !== null && method === 'HEAD') return { problem: 'HEAD has no body that could contain a text' };
  return {
    expectation: {
      method,
      path,
      status: statusOf(words[1], quoted, gone),
      text: quoted,
      gone: gone && quoted !== null,
    },
  };
}

/** A page that is to be gone answers so; where a text is to be gone, the page is still there. */
function statusOf(asked: string | undefined, text: string | null, gone: boolean): number[] {
  if (asked !== undefined) return [Number(asked)];
  return gone && text === null ? [404, 410] : [200];
}

const named = (text: string) => (text === '' ? 'nothing' : JSON.stringify(oneLine(text, 60)));

/** Empty when it is not a string of JSON. */
function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return '';
  }
}

/** What two expectations must share to be about the same: the newer of them counts. */
export function subjectOf({ method, path, text }: Expectation): string {
  return `${method} ${path} ${text === null ? 'status' : JSON.stringify(text)}`;
}
