import { readFileSync } from 'node:fs';
import { HIDDEN } from '../front-door/hidden.ts';
import { BAD_GATEWAY, NOT_FOUND, page, problem, TOO_LARGE, UNAVAILABLE } from '../front-door/pages.ts';
import { parseListen } from '../ports.ts';
import { hiddenPattern } from './hidden-pattern.ts';
import type { Site, WebServer } from './site.ts';

/** Mebibytes; an application may be content with less, and says so itself. */
export const MOST_BODY_MB = 100;
const SLOTS = ['blue', 'green'];

/**
 * The configuration of one environment for Debian's Caddy or nginx, from `environments/front-door/`: a file to be imported
 * by the Caddyfile, or included in nginx's `http`. It changes only with the environment's addresses.
 */
export function renderSite(server: WebServer, site: Site): string {
  return server === 'caddy' ? renderCaddy(site) : renderNginx(site);
}

function renderCaddy(site: Site): string {
  const text = fill(template('caddy.site'), {
    ...valuesOf(site),
    HIDDEN_PATHS: HIDDEN.flatMap((path) => [path, `${path}/*`]).join(' '),
  });
  const url = publicUrl(site);
  if (!url) return text;
  const secure = url.protocol === 'https:' ? [HSTS] : [];
  return [text, `${url.origin} {`, ...secure, `\timport deployer-${site.name}`, '}', ''].join('\n');
}

/** A year, for this name alone, unless the application says otherwise: RFC 6797. */
const HSTS = '\theader ?Strict-Transport-Security "max-age=31536000"';

function renderNginx(site: Site): string {
  const values = { ...valuesOf(site), PAGES: '' };
  values.PAGES = fill(template('nginx-pages.site'), values).trimEnd();
  const writes = SLOTS.map((slot) => fill(template('nginx-writes.site'), { ...values, SLOT: slot }));
  return fill(template('nginx.site'), {
    ...values,
    URL_LISTEN: listenFor(publicUrl(site)),
    WRITES: writes.join(''),
  });
}

/** TLS is what certbot adds to a server that has a name. */
function listenFor(url: URL | null): string {
  if (!url) return '';
  const port = (url.protocol === 'http:' && url.port) || '80';
  return `\tlisten ${port};\n\tlisten [::]:${port};\n\tserver_name ${url.hostname};\n`;
}

/** null: it is reached at `listen` only. */
export function publicUrl({ url }: Pick<Site, 'url'>): URL | null {
  const parsed = url === undefined ? null : new URL(url);
  return parsed && !/^(localhost|127\..*|\[::1\])$/.test(parsed.hostname) ? parsed : null;
}

function valuesOf(site: Site): Record<string, string> {
  const { host, port } = parseListen(site.listen);
  const pages = Object.entries({ NOT_FOUND, TOO_LARGE, UNAVAILABLE, BAD_GATEWAY }).flatMap(
    ([name, answer]) => [
      [`${name}_HTML`, page(answer).trim()],
      [`${name}_JSON`, problem(answer)],
    ],
  );
  return {
    NAME: site.name,
    ID: site.name.replaceAll('-', '_'),
    RUN: site.directory,
    LOG: site.log,
    HOST: host,
    PORT: String(port),
    HOST_PORT: site.listen,
    MOST_BODY_MB: String(MOST_BODY_MB),
    HIDDEN_PATTERN: hiddenPattern(),
    ...Object.fromEntries(pages),
  };
}

function template(name: string): string {
  return readFileSync(new URL(`../../../environments/front-door/${name}`, import.meta.url), 'utf8');
}

/** Throws for a name that has no value: a template's own mistake. */
function fill(text: string, values: Record<string, string>): string {
  return text.replace(/@([A-Z_]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`a template asks for ${name}`);
    return value;
  });
}
