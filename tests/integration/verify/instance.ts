import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { ROUTES } from '../../../verify/routes/table.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface InstanceOptions {
  file: string;
  /** Answers instead of the sound ones, by `METHOD path?query`. */
  faults?: Record<string, Handler>;
  /** Changes the list of routes. */
  routes?: (routes: { method: string; path: string }[]) => { method: string; path: string }[];
  mode?: boolean;
  status?: Record<string, unknown>;
  hideRoutes?: boolean;
}

type Row = Record<string, string | number | null>;

let sockets = 0;

/** A small sound instance on a Unix socket, and whatever is to be wrong with it. */
export async function instance(options: InstanceOptions): Promise<{ socket: string; asked: string[] }> {
  const socket = path.join(tmpdir(), `verify-${process.pid}-${sockets++}.sock`);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const key = `${request.method} ${request.url}`;
    asked.push(key);
    (options.faults?.[key] ?? sound(options))(request, response);
  });
  server.listen(socket);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    rmSync(socket, { force: true });
  });
  return { socket, asked };
}

export function reply(
  status: number,
  body = '',
  type = 'text/html',
  headers: Record<string, string> = {},
): Handler {
  return (_, response) => response.writeHead(status, { 'content-type': type, ...headers }).end(body);
}

function sound(options: InstanceOptions): Handler {
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    const answer =
      request.method === 'GET' ? read(options, pathname, searchParams) : refuse(options, pathname);
    answer(request, response);
  };
}

function refuse({ mode }: InstanceOptions, pathname: string): Handler {
  if (pathname === '/_deploy/mode') return reply(400);
  if (pathname === '/_deploy/reload') return reply(404);
  return reply(mode === true ? 503 : 403);
}

function read(options: InstanceOptions, pathname: string, query: URLSearchParams): Handler {
  if (pathname.startsWith('/_deploy/')) return deploy(options, pathname);
  if (pathname === '/site.css') return reply(200, 'body{}', 'text/css');
  if (pathname === '/') return reply(200, frame('<a href="/doc/all/?q=x#main">All</a>'));
  if (pathname === '/doc/all/') return reply(200, frame(list(options.file, query)));
  const [, name] = /^\/doc\/draft\/([^/]+)\/$/.exec(pathname) ?? [];
  if (name !== undefined) return document(options.file, name);
  return byTable(options.file, pathname);
}

function deploy(
  { file, mode = false, status, routes, hideRoutes }: InstanceOptions,
  pathname: string,
): Handler {
  const json = (value: unknown): Handler => reply(200, JSON.stringify(value), 'application/json');
  if (pathname === '/_deploy/health') return json({ status: 'ok', database: 'ok', service: 'ok' });
  if (pathname === '/_deploy/routes') {
    if (hideRoutes === true) return reply(404);
    const all = ROUTES.map((route) => ({ method: route.method, path: route.path }));
    return json({ routes: routes === undefined ? all : routes(all) });
  }
  const names = rows(file, 'select name from knex_migrations order by name').map((row) =>
    String(row['name']),
  );
  return json({
    environment: 'dev',
    git_branch: 'dev',
    git_commit: 'abc',
    git_tree: 'def',
    deployment_id: 'd1',
    deployed_at: 'now',
    service_status: 'running',
    database_version: names.at(-1),
    migrations_applied: names,
    mode,
    ...status,
  });
}

/** What has no page of its own here answers as the table wants it; what names a row that is not there is 404. */
function byTable(file: string, pathname: string): Handler {
  for (const { method, path: pattern, statuses, to, type, text, sample } of specificFirst()) {
    const shape = new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}$`);
    if (method !== 'GET' || !shape.test(pathname)) continue;
    if (/verify-absent|999999/.test(pathname) && to !== '/login/') return reply(404);
    if (sample === 'asset') return reply(200, 'body{}', 'text/css');
    return reply(
      statuses[0] ?? 200,
      text ?? `<p>${file}</p>`,
      type ?? 'text/html',
      to === null ? {} : { location: to },
    );
  }
  return reply(404, frame('nothing here'));
}

function specificFirst() {
  const parameters = (pattern: string): number => pattern.split(':').length;
  return ROUTES.toSorted((a, b) => parameters(a.path) - parameters(b.path));
}

function document(file: string, name: string): Handler {
  const [row] = rows(file, 'select * from documents where name = ?', name);
  if (row === undefined) return reply(404, frame('no such document'));
  const number = row['ml_number'] === null ? '' : `ML-${String(row['ml_number']).padStart(3, '0')}`;
  const label = { published: 'Published', 'last-call': 'In last call', active: 'Active draft' }[
    String(row['state'])
  ];
  return reply(200, frame(`<h1>${escape(String(row['title']))}</h1><p>${label} ${number}</p>`));
}

const PAGE = 2;

function list(file: string, query: URLSearchParams): string {
  const all = rows(file, 'select name, title from documents order by id');
  const start = Number(query.get('after') ?? 0);
  const items = all
    .slice(start, start + PAGE)
    .map(({ name, title }) => `<h2><a href="/doc/draft/${String(name)}/">${escape(String(title))}</a></h2>`);
  const next = start + PAGE < all.length ? `<a rel="next" href="?after=${start + PAGE}">Next</a>` : '';
  return `<p>${all.length} documents for ${escape(query.get('q') ?? '')}</p>${items.join('')}${next}`;
}

export function frame(content: string): string {
  return `<!doctype html><html><head><title>Documents</title><link rel="stylesheet" href="/site.css"></head><body>
    <header>Meta-Layer Task Force<nav><a href="/doc/all/">Documents</a></nav></header>
    <main id="main">${content}</main><form action="/doc/all/"><input name="q" value=""></form></body></html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`).replaceAll('&#60;', '&lt;');
}

function rows(file: string, sql: string, ...values: string[]): Row[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare<string[], Row>(sql).all(...values);
  } finally {
    database.close();
  }
}
