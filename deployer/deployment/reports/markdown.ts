import { oneLine } from '../../problem.ts';

/**
 * What strangers wrote, put so that it stays text: in code neither HTML nor Markdown nor a mention means anything,
 * and a fence is longer than any that stands in it (CommonMark, 4.5 and 6.1).
 */

const longestRun = (text: string) => Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));

/** One line of code; empty for empty text. */
export function code(text: string, limit = 300): string {
  const line = oneLine(text, limit);
  if (line === '') return '';
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** Lines of code, each without control characters. */
export function block(lines: readonly string[], language: 'text' | 'sh'): string {
  const clean = lines.map((line) => indented(line));
  const fence = '`'.repeat(Math.max(3, longestRun(clean.join('\n')) + 1));
  return [`${fence}${language}`, ...clean, fence].join('\n');
}

function indented(line: string): string {
  const [indent = ''] = /^ */.exec(line) ?? [];
  return `${indent}${oneLine(line, 300)}`;
}

/** What is shown when it is opened. */
export const details = (summary: string, body: string) =>
  `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
