import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import type { User } from '../accounts/users.ts';
import type { Clock } from '../clock.ts';
import type { Database, Work } from '../database/database.ts';
import type { DeploymentMode } from '../deploy/mode.ts';
import type { FileStore } from '../documents/files.ts';
import type { Settings } from '../settings.ts';
import type { Form } from './body.ts';

/** What the whole application shares. */
export interface Services {
  settings: Settings;
  database: Database;
  files: FileStore;
  mode: DeploymentMode;
  clock: Clock;
  log: Logger;
}

export type Theme = 'auto' | 'light' | 'dark';

/** One request, as routes see it: parsed, authenticated, and past the checks of its route. */
export interface Visit {
  services: Services;
  requestId: string;
  /** Path and query, as asked for. */
  url: string;
  params: Record<string, string>;
  query: URLSearchParams;
  form: Form;
  /** The JSON body, for `_deploy` alone. */
  json: unknown;
  headers: IncomingHttpHeaders;
  /** The client's, as the front door reports it. */
  address: string;
  secure: boolean;
  theme: Theme;
  user: User | null;
  /** The session's secret as the client sent it; null when not signed in. */
  sessionToken: string | null;
  csrfToken: string;
  /** Every route of the application, as its router holds them. */
  routes: () => { method: string; path: string }[];
}

/** Writes in one transaction, on behalf of this visit's user. */
export function write<T>(visit: Visit, work: Work<T>): Promise<T> {
  const { settings, database } = visit.services;
  const origin = {
    actorId: visit.user?.id ?? null,
    deploymentId: settings.DEPLOYMENT_ID,
    requestId: visit.requestId,
  };
  return database.write(origin, work);
}

/** For routes that only signed-in people reach. */
export function signedIn(visit: Visit): User {
  if (visit.user === null) throw new Error('the route let somebody in who is not signed in');
  return visit.user;
}
