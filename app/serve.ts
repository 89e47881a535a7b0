import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { pino, type Logger } from 'pino';
import { openDatabase } from './database/database.ts';
import { deploymentMode } from './deploy/mode.ts';
import { fileStore } from './documents/files.ts';
import { createApplication } from './http/application.ts';
import type { Clock } from './clock.ts';
import { routes } from './routes.ts';
import { parseAddress, type Settings } from './settings.ts';

/** An import would load `fetch`, too, which takes longer than all the rest of a start. */
const { createServer } = process.getBuiltinModule('node:http');

const DRAIN_MS = 10_000;

export interface Running {
  server: Server;
  /** Stops accepting, finishes what is in flight (at most ten seconds), closes the database. */
  stop: () => Promise<void>;
}

export interface Options {
  clock?: Clock;
  log?: Logger;
}

/** Serves until stopped. Nothing is written, and nothing but the socket is opened before the first request. */
export async function serve(settings: Settings, options: Options = {}): Promise<Running> {
  const log = options.log ?? pino({ base: { deployment: settings.DEPLOYMENT_ID } });
  const database = openDatabase(settings.DATABASE_FILE, settings.DEPLOYMENT_MODE);
  const application = createApplication(
    {
      settings,
      database,
      files: fileStore(settings.FILES_DIR),
      mode: deploymentMode(settings.DEPLOYMENT_MODE, database),
      clock: options.clock ?? (() => new Date()),
      log,
    },
    routes,
  );
  const server = createServer(application);
  await listen(server, settings.LISTEN);
  log.info({ listen: settings.LISTEN }, 'serving');
  return { server, stop: () => drain(server).then(database.close) };
}

async function listen(server: Server, address: string): Promise<void> {
  const target = parseAddress(address);
  // an instance that was killed leaves its socket behind
  if ('path' in target) rmSync(target.path, { force: true });
  server.listen(target);
  await once(server, 'listening');
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const deadline = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  server.closeIdleConnections();
  await closed;
  clearTimeout(deadline);
}
