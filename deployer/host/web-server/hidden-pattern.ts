import { HIDDEN } from '../front-door/hidden.ts';

/** Each also when it was encoded several times; in the words that Go's and PCRE's expressions have in common. */
const encoded = (...codes: string[]) => `%(?:25)*(?:${codes.join('|')})`;
const SEPARATOR = `(?:[/\\x5c]|${encoded('2f', '5c')})`;
/** What some servers ignore within a segment: white space, control characters; and dots, alone. */
const IGNORED = `(?:${encoded('[01][0-9a-f]', '20', '7f')})*`;
const DOT = `(?:[.]|${encoded('2e')})`;
const PARAMETER = `(?:(?:;|${encoded('3b')})[^/\\x5c?#]*)?`;
const EMPTY = `${IGNORED}${DOT}?${DOT}?${IGNORED}${PARAMETER}`;
const BETWEEN = `(?:${SEPARATOR}${EMPTY})*${SEPARATOR}${IGNORED}`;
const END = `(?:$|[/\\x5c?#;]|${encoded('2f', '5c', '3b')})`;

/** A dot that is encoded more than once has no other purpose than to pass a look such as this. */
const DISGUISED = '[^?#]*%(?:25)+2e';

/**
 * The request targets of `isHidden` as one expression, without regard to case, for a web server that resolves `..`
 * itself and looks at what it resolved, too.
 */
export function hiddenPattern(): string {
  const paths = HIDDEN.map((path) =>
    path
      .split('/')
      .slice(1)
      .map((segment) => segment.replace(/./g, character))
      .join(`${PARAMETER}${BETWEEN}`),
  );
  return `^(?:${DISGUISED}|(?:[a-z][a-z0-9+.-]*://[^/?#]*)?${BETWEEN}(?:${paths.join('|')})${END})`;
}

function character(letter: string): string {
  const codes = [letter, letter.toUpperCase()].map((one) => one.charCodeAt(0).toString(16));
  return `(?:${letter}|${encoded(...new Set(codes))})${IGNORED}`;
}
