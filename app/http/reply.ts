import type { Html } from '../pages/html.ts';

/** What a page shows inside the frame that all pages share. */
export interface Page {
  title: string;
  body: Html;
  /** Fills the width; the page brings its own containers. */
  wide?: boolean;
}

/** What a route answers; `send.ts` alone turns it into HTTP. */
export type Reply =
  | { kind: 'page'; page: Page; status: number }
  | { kind: 'redirect'; to: string; status: 301 | 302 | 303; cookies: string[] }
  | { kind: 'json'; value: unknown; status: number }
  | { kind: 'text'; text: string; type: string }
  | { kind: 'bytes'; bytes: Buffer; type: string; filename: string; disposition: 'inline' | 'attachment' }
  /** `version` of its content; `isForGood`: its address names that. */
  | { kind: 'asset'; file: string; version: string; isForGood: boolean }
  | { kind: 'empty'; status: number };

export function page(content: Page, status = 200): Reply {
  return { kind: 'page', page: content, status };
}

/** After a POST. `cookies` are complete Set-Cookie values. */
export function redirect(to: string, cookies: string[] = []): Reply {
  return { kind: 'redirect', to, status: 302, cookies };
}

export function moved(to: string): Reply {
  return { kind: 'redirect', to, status: 301, cookies: [] };
}

export function json(value: unknown, status = 200): Reply {
  return { kind: 'json', value, status };
}
