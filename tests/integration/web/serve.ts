import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestHandler } from 'express';
import { pino } from 'pino';
import { createWebApp } from '../../../deployer/web/app.ts';
import { createMetrics } from '../../../deployer/web/metrics.ts';
import { FakeOperations } from './fake-operations.ts';

export const TOKEN = 'a-token-of-this-test';

const teapot: RequestHandler = (_request, response) => {
  response.sendStatus(418);
};

/** The real web application over a deployer in memory, on a free port. */
export async function serveWeb({ port = 0, intake = teapot, operations = new FakeOperations() } = {}) {
  const logged: string[] = [];
  const metrics = createMetrics(operations);
  const app = createWebApp({
    operations,
    token: TOKEN,
    url: 'https://deployer.example',
    intake,
    metrics,
    logger: pino({}, { write: (line) => void logged.push(line) }),
    version: '1.2.3',
    commitUrl: (commit) => `https://forge.example/commit/${commit}`,
  });
  const server = createServer(app);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    app,
    operations,
    metrics,
    logged,
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type Served = Awaited<ReturnType<typeof serveWeb>>;
