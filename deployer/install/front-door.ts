import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseEnvironment } from '../../environments/parse.ts';
import type { Environment } from '../../environments/schema.ts';
import { renderSite } from '../host/web-server/render.ts';
import { accessLogOf, type Site } from '../host/web-server/site.ts';
import type { Host } from './host.ts';
import { LAYOUT } from './layout.ts';
import type { Step } from './step.ts';
import { caddyAdmin } from './steps/caddy-admin.ts';
import { directory } from './steps/directory.ts';
import { file, withoutFile } from './steps/file.ts';
import { line } from './steps/line.ts';

/** They are part of the home, and stay with it. */
const keeps = 'data and backups';

/**
 * Debian's Caddy as the front door of every environment. Caddy reaches the instances by the group that they have, makes its
 * listeners in `writes/`, and its access log is the deployer's to read: it keeps the mode of the file that it finds.
 * @param removed environments whose site goes
 */
export function frontDoor(host: Host, project: string, removed: readonly string[]): Step[] {
  const folder = join(project, 'environments');
  const dropIn = readFileSync(join(folder, 'front-door', 'caddy.service.conf'), 'utf8');
  const access = { owner: 'deployer', group: 'datatracker' };
  return [
    directory(host, { path: join(LAYOUT.home, 'run'), ...access, mode: 0o750, keeps }),
    directory(host, {
      path: join(LAYOUT.home, 'access'),
      owner: 'caddy',
      group: 'datatracker',
      mode: 0o2750,
      keeps,
    }),
    directory(host, { path: LAYOUT.sites, owner: 'root', group: 'root', mode: 0o755 }),
    ...sitesIn(folder).flatMap((site) => oneSite(host, site)),
    ...removed.map((name) => withoutFile(siteFile(name), 'caddy')),
    caddyAdmin(LAYOUT.caddyfile, 'unix//run/caddy/admin.sock'),
    line(LAYOUT.caddyfile, `import ${LAYOUT.sites}/*.caddy`, 'caddy'),
    directory(host, { path: LAYOUT.caddyDropIns, owner: 'root', group: 'root', mode: 0o755 }),
    file(host, {
      path: join(LAYOUT.caddyDropIns, 'deployer.conf'),
      content: dropIn,
      reloads: 'caddy-restart',
    }),
  ];
}

function oneSite(host: Host, site: Site): Step[] {
  const { name, directory: path, log } = site;
  const shared = { owner: 'deployer', group: 'datatracker', mode: 0o750, keeps };
  return [
    directory(host, { path, ...shared }),
    // Of what Caddy makes there, the group is that of the directory.
    directory(host, {
      path: join(path, 'writes'),
      owner: 'caddy',
      group: 'datatracker',
      mode: 0o2750,
      keeps,
    }),
    file(host, {
      path: log,
      content: '',
      owner: 'caddy',
      group: 'datatracker',
      mode: 0o640,
      isTheirs: 'log',
    }),
    file(host, {
      path: siteFile(name),
      content: renderSite('caddy', site),
      reloads: 'caddy',
    }),
  ];
}

function sitesIn(folder: string): Site[] {
  return globSync('*.{yaml,yml}', { cwd: folder })
    .toSorted()
    .map((name) => {
      const path = join(folder, name);
      return hostSite(parseEnvironment(readFileSync(path, 'utf8'), `environments/${basename(path)}`));
    });
}

/** Environments that Caddy serves and the project does not name: of another branch, or removed. */
export function strangers(project: string): string[] {
  const named = sitesIn(join(project, 'environments')).map(({ name }) => name);
  const served = globSync('*.caddy', { cwd: LAYOUT.sites }).map((name) => basename(name, '.caddy'));
  return served.filter((name) => !named.includes(name)).toSorted();
}

/** An environment as Caddy is to serve it. */
export function hostSite({ name, url, listen }: Pick<Environment, 'name' | 'url' | 'listen'>): Site {
  const { home } = LAYOUT;
  return { name, url, listen, directory: join(home, 'run', name), log: accessLogOf(home, name) };
}

export const siteFile = (environment: string) => join(LAYOUT.sites, `${environment}.caddy`);
