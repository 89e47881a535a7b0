import type { SampleName } from '../samples.ts';

/** How an anonymous visitor's answer from one route is judged. */
export interface RouteCheck {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As the application registers it. */
  path: string;
  /** What its parameters name; without such a row the answer must be 404. */
  sample: SampleName;
  query: string;
  statuses: number[];
  /** What the answer's Location starts with. */
  to: string | null;
  type: string | null;
  /** Stands in the body. */
  text: string | null;
  body?: unknown;
  /** The front door does not let it through: 404 there. */
  hidden?: boolean;
}

type Details = Partial<Pick<RouteCheck, 'sample' | 'query' | 'text'>>;

const plain = { sample: 'none', query: '', to: null, type: null, text: null } as const;

/** A page that anybody may see. */
export function page(path: string, details: Details = {}): RouteCheck {
  return data(path, 'text/html', details);
}

/** Anything else that anybody may fetch. */
export function data(path: string, type: string, details: Details = {}): RouteCheck {
  return { ...plain, method: 'GET', path, statuses: [200], type, ...details };
}

/** A page for those who are signed in. */
export function guarded(path: string, sample: SampleName = 'none'): RouteCheck {
  return { ...plain, method: 'GET', path, sample, statuses: [302], to: '/login/' };
}

export function moved(path: string, status: 301 | 302, to: string, sample: SampleName = 'none'): RouteCheck {
  return { ...plain, method: 'GET', path, sample, statuses: [status], to };
}

/** What changes data: refused without a form of ours or without a session, and so never carried out here. */
export function write(
  path: string,
  sample: SampleName = 'none',
  method: RouteCheck['method'] = 'POST',
): RouteCheck {
  return { ...plain, method, path, sample, statuses: [302, 401, 403] };
}

/** A route whose refusal is its own. */
export function special(
  method: RouteCheck['method'],
  path: string,
  statuses: number[],
  body?: unknown,
): RouteCheck {
  return { ...plain, method, path, statuses, body };
}
