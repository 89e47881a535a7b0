import { readFile } from 'node:fs/promises';
import { writeAtomically } from '../../release/files.ts';
import type { Reload, Step } from '../step.ts';

/** A line in a file that is somebody else's, such as Debian's Caddyfile. */
export function line(path: string, text: string, reloads: Reload): Step {
  return {
    title: `line "${text}" in ${path}`,
    made: { kind: 'line', path, line: text },
    reloads,
    check: async () => ((await linesOf(path)).includes(text) ? null : 'missing'),
    apply: async () => writeAtomically(path, `${[...(await linesOf(path)), text].join('\n')}\n`),
  };
}

export function withoutLine(path: string, text: string, reloads: Reload): Step {
  return {
    title: `remove line "${text}" from ${path}`,
    made: null,
    reloads,
    check: async () => ((await linesOf(path)).includes(text) ? 'there' : null),
    apply: async () => {
      const others = withoutEmptyBlock((await linesOf(path)).filter((each) => each !== text));
      await writeAtomically(path, others.map((each) => `${each}\n`).join(''));
    },
  };
}

/** What was made for that line alone. */
function withoutEmptyBlock(lines: string[]): string[] {
  return lines[0] === '{' && lines[1] === '}' ? lines.slice(2) : lines;
}

export async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
