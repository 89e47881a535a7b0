import type { Reply } from './reply.ts';
import type { Visit } from './visit.ts';

type Method = 'get' | 'post' | 'put';

/** Who may call it: anyone, anyone signed in, or holders of one of these roles. */
export type Allow = 'anyone' | 'signed-in' | readonly string[];

export interface Route {
  method: Method;
  path: string;
  allow: Allow;
  handle: (visit: Visit) => Reply | Promise<Reply>;
  /** Takes a multipart form with one file. */
  upload?: boolean;
}

export function get(path: string, allow: Allow, handle: Route['handle']): Route {
  return { method: 'get', path, allow, handle };
}

export function post(path: string, allow: Allow, handle: Route['handle']): Route {
  return { method: 'post', path, allow, handle };
}
