import { randomUUID } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { answer, writesRefused } from './answer.ts';
import { notFound } from './problem.ts';
import { describeRoutes } from './router.ts';
import type { Route } from './route.ts';
import { sendProblem } from './send.ts';
import { receive, type Received } from './receive.ts';
import type { Services } from './visit.ts';

/** The Express application that answers with these routes, and with nothing else. */
export function createApplication(services: Services, routes: Route[]): Express {
  const application = express();
  application.disable('x-powered-by');
  application.set('etag', false);
  application.set('query parser', false);
  const visits = new WeakMap<Request, Received>();

  application.use((request, response, next) => {
    const received = receive(services, request, randomUUID(), () => describeRoutes(application));
    visits.set(request, received);
    logWhenDone(services, received, request, response);
    if (services.mode.isOn() && isWrite(request)) throw writesRefused();
    next();
  });
  for (const route of routes) {
    application[route.method](route.path, async (request, response) => {
      await answer(route, known(visits, request), request, response);
    });
  }
  application.use(() => {
    throw notFound();
  });
  application.use(async (error: unknown, request: Request, response: Response, _next: NextFunction) => {
    await sendProblem(error, known(visits, request), response);
  });
  return application;
}

/** Anything that is not known to only read, whether or not there is such an address. */
function isWrite({ method, path }: Request): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method) && !path.startsWith('/_deploy/');
}

function known(visits: WeakMap<Request, Received>, request: Request): Received {
  const received = visits.get(request);
  if (received === undefined) throw new Error('a request that was never received');
  return received;
}

function logWhenDone(services: Services, received: Received, request: Request, response: Response): void {
  const started = performance.now();
  response.setHeader('X-Request-Id', received.requestId);
  response.once('close', () => {
    // the path alone: a query can hold what somebody searched for
    const { method, path } = request;
    const durationMs = Math.round(performance.now() - started);
    services.log.info(
      { requestId: received.requestId, method, path, status: response.statusCode, durationMs },
      'answered',
    );
  });
}
