const BASE = 'http://datatracker.invalid';

/**
 * The path to go on to after signing in: only ever on this site. Anything that a browser could read as
 * another host (`//evil`, `/\evil`, a tab after the slash) becomes `fallback`.
 */
export function localPath(text: string | null, fallback = '/'): string {
  if (text === null || !text.startsWith('/') || !URL.canParse(text, BASE)) return fallback;
  // What browsers drop from addresses, or read otherwise.
  if (/[\\\u0000-\u001f\u007f]/.test(text)) return fallback;
  const url = new URL(text, BASE);
  if (url.origin !== BASE || url.pathname.startsWith('//')) return fallback;
  return url.pathname + url.search;
}
