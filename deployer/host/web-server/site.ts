import { join } from 'node:path';
import type { RunDirectory } from '../types.ts';

export type WebServer = 'caddy' | 'nginx';

/** An environment as a web server serves it. */
export interface Site {
  /** The environment's name. */
  name: string;
  /** Its public address; without one, or for `localhost`, it is reached at `listen` only. */
  url?: string | undefined;
  /** `host:port` */
  listen: string;
  /** The environment's run directory; the web server must be able to write to `writes/` in it. */
  directory: string;
  /** The access log, which the web server writes and rotates, and the deployer reads. */
  log: string;
}

export function siteOf(
  { home, runDirectory }: { home: string; runDirectory: RunDirectory },
  { name, url, listen }: Pick<Site, 'name' | 'url' | 'listen'>,
): Site {
  return { name, url, listen, directory: runDirectory.of(name), log: accessLogOf(home, name) };
}

export function accessLogOf(home: string, environment: string): string {
  return join(home, 'access', `${environment}.log`);
}
