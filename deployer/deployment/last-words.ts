import { dirname } from 'node:path';
import { oneLine } from '../problem.ts';

const LIMIT = 300;
export const SILENCE = 'it said nothing';

/**
 * The line of a program's last output that says why it ended, as one line, with the place in the release in front where
 * a trace names one: `app/serve.ts:1: Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x' imported from app/serve.ts`.
 * Understands the traces of Node, Python, Perl, Ruby, PHP and Java, and one JSON object a line.
 */
export function tellingWords(output: string, release: string): string {
  const lines = withinRelease(output, release)
    .split('\n')
    .map((line) => sentenceOf(line.trim()))
    .filter(Boolean);
  const telling = lines.findLast((line) => TELLING.test(line)) ?? lines.at(-1) ?? SILENCE;
  const place = placeIn(withinRelease(output, release, MARK));
  return oneLine(place && !telling.includes(place) ? `${place}: ${telling}` : telling, LIMIT);
}

/** Paths as they are in the tree: where the release, and the home with its data, lie on this machine is nobody's business. */
export function withinRelease(text: string, release: string, instead = ''): string {
  return text
    .replaceAll(`file://${release}/`, instead)
    .replaceAll(`${release}/`, instead)
    .replaceAll(release, 'the release')
    .replaceAll(`${dirname(dirname(release))}/`, '$DEPLOYER_HOME/');
}

const TELLING = /^([\w.]*(Error|Exception)|fatal|error|exception|panic)\b|: command not found|: not found/i;

// Stands before each path of the release, so that it is told from any other `a/b:1`.
const MARK = '\u0001';
const PATH = String.raw`\u0001([^\s:"'()\u0001]+)`;
const PLACES = [
  `${PATH}:(\\d+)`,
  `File "${PATH}", line (\\d+)`,
  `${PATH} line (\\d+)`,
  `${PATH}\\((\\d+)\\)`,
];

/** `app/serve.ts:41`: the place in the release's own code that a trace names first, its dependencies left out; of Python, last. */
function placeIn(marked: string): string | null {
  const [anywhere, python, ...others] = PLACES.map((pattern) =>
    [...marked.matchAll(new RegExp(pattern, 'g'))]
      .map(([, file = '', line = '']) => ({ file, line }))
      .filter(({ file }) => !/(^|\/)(node_modules|site-packages|vendor)\//.test(file)),
  );
  const found = python?.at(-1) ?? anywhere?.[0] ?? others.flat()[0];
  return found ? `${found.file}:${found.line}` : null;
}

/** What a line of a structured log says; any other line as it is. */
function sentenceOf(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const entry = JSON.parse(line) as { err?: { message?: unknown }; msg?: unknown; message?: unknown };
    const said = entry.err?.message ?? entry.msg ?? entry.message;
    return typeof said === 'string' ? said : line;
  } catch {
    return line;
  }
}
