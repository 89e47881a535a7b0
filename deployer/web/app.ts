import { fileURLToPath } from 'node:url';
import express from 'express';
import type { ErrorRequestHandler, Express, RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Operations } from '../operations.ts';
import { createAccess } from './access.ts';
import type { Access } from './access.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoints } from './endpoints.ts';
import { HttpError, orNotFound, sendProblem, toProblem } from './errors.ts';
import type { Metrics } from './metrics.ts';
import { openApi } from './openapi.ts';
import { pages } from './pages/pages.ts';
import { errorPage } from './pages/error.ts';

export interface WebOptions {
  operations: Operations;
  /** The admin token: everything that changes something needs it. */
  token: string;
  /** The public address of the deployer, for links and as a host name to answer to. */
  url: string;
  /** Answers `POST /webhooks/github`; it gets the body unread. */
  intake: RequestHandler;
  metrics: Metrics;
  logger: Logger;
  version: string;
  /** Where the forge shows a commit. */
  commitUrl?: ((commit: string) => string) | undefined;
}

const ASSETS = fileURLToPath(new URL('assets/', import.meta.url));

/** The API, the dashboard and what watches the deployer; the caller listens. */
export function createWebApp(options: WebOptions): Express {
  const { metrics, logger } = options;
  const access = createAccess(options.token, options.url);
  const app = express();
  app.disable('x-powered-by');
  app.use(metrics.requests, secure);
  app.post('/webhooks/github', options.intake);
  watchers(app, options, access);
  api(app, options, access);
  app.use('/assets', express.static(ASSETS, { index: false, maxAge: '1h' }));
  app.use(pages(options, access));
  app.use(() => {
    throw new HttpError(404, 'there is nothing at this address');
  });
  app.use(failures(logger));
  return app;
}

function watchers(app: Express, { operations, metrics }: WebOptions, access: Access): void {
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', async (request, response) => {
    const { ready, reasons } = await operations.readiness();
    const why = access.mayRead(request) ? { reasons } : {};
    response.status(ready ? 200 : 503).json({ ready, ...why });
  });
  app.get('/metrics', access.reading, async (_request, response) => {
    const text = await metrics.registry.metrics();
    response.set('Content-Type', metrics.registry.contentType).send(text);
  });
}

function api(app: Express, { operations, url, version }: WebOptions, access: Access): void {
  const description = openApi(endpoints, url, version);
  app.get('/api/openapi.json', access.reading, (_request, response) => {
    response.json(description);
  });
  const json = express.json({ limit: '100kb' });
  const pathOf = (endpoint: Endpoint) => endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1');
  for (const endpoint of endpoints) {
    const path = pathOf(endpoint);
    const isOpen = endpoint.method === 'get' && !endpoint.secret;
    const gate = isOpen ? [access.reading] : [access.changing, json];
    app[endpoint.method](path, ...gate, (request, response) =>
      orNotFound(operations, request, () => endpoint.respond(operations, request, response)),
    );
  }
  const others = express.Router();
  for (const [path, there] of Map.groupBy(endpoints, pathOf)) others.all(path, otherMethod(there));
  app.use(others);
}

function otherMethod(there: readonly Endpoint[]): RequestHandler {
  const allowed = there.map(({ method }) => method.toUpperCase()).join(', ');
  return (request, response) => {
    response.set('Allow', allowed);
    throw new HttpError(405, `${request.method} is not for this address: ${allowed}`);
  };
}

/** No page of ours runs or loads anything from elsewhere, or is shown inside another. */
const secure: RequestHandler = (_request, response, next) => {
  response.set({
    'Content-Security-Policy':
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
  next();
};

function failures(logger: Logger): ErrorRequestHandler {
  return async (error: unknown, request, response, _next) => {
    const problem = toProblem(error, request, logger);
    // Half an answer cannot be taken back: the reader must see that it is not whole.
    if (response.headersSent) return void response.destroy();
    if (request.path.startsWith('/api/') || request.accepts(['json', 'html']) === 'json') {
      return sendProblem(response, problem);
    }
    response.status(problem.status).send(String(await errorPage(problem)));
  };
}
