import { createServer, type RequestListener, type Server } from 'node:http';
import type { Knex } from 'knex';
import type { Logger } from 'pino';
import type { Forge } from '../forge/types.ts';
import { intake } from '../intake/intake.ts';
import type { Operations } from '../operations.ts';
import { codeOf, SettingsError } from '../problem.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { Redaction } from '../redaction.ts';
import type { Settings } from '../settings.ts';
import { version } from '../version.ts';
import { createWebApp } from '../web/app.ts';
import type { Metrics } from '../web/metrics.ts';
import { homeSecret } from './home.ts';
import type { Rehearsals } from './rehearsals.ts';

/** Listens, and answers 503 until `serve`. @throws SettingsError when the address is in use */
export async function listen({ listen: address }: Settings): Promise<Server> {
  const server = createServer(notYet);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(address.port, address.host, resolve);
  try {
    await promise;
  } catch (error) {
    const code = codeOf(error);
    const what =
      code === 'EADDRINUSE'
        ? 'is in use by another program: stop it, or choose another address'
        : `cannot be listened on (${code})`;
    throw new SettingsError(`DEPLOYER_LISTEN ${address.host}:${address.port} ${what}`);
  }
  return server;
}

export function publicUrl(settings: Settings, server: Server): string {
  const bound = server.address();
  if (settings.listen.port !== 0 || typeof bound !== 'object' || !bound) return settings.url;
  return `http://${settings.listen.host}:${bound.port}`;
}

/** The API, the dashboard and the intake, from now on. */
export function serve(
  server: Server,
  parts: {
    settings: Settings;
    state: Knex;
    operations: Operations;
    metrics: Metrics;
    reconciler: Reconciler;
    forge: Pick<Forge, 'commitUrl' | 'owns'>;
    rehearsals: Pick<Rehearsals, 'look'>;
    clock: () => Date;
    logger: Logger;
    url: string;
    redaction: Pick<Redaction, 'know'>;
    /** Whether anything but questions is accepted. */
    isOpen: () => boolean;
  },
): void {
  const { settings, state, operations, metrics, reconciler, rehearsals, forge, clock, logger, url, isOpen } =
    parts;
  const token = settings.adminToken ?? homeSecret(settings.home, 'admin-token');
  const { webhookSecret, webhookSecretPrevious } = settings;
  // The local repository's hook signs by what is in the home, whatever else is set.
  const ofHook = settings.github ? null : homeSecret(settings.home, 'webhook-secret');
  const secrets = [webhookSecret, webhookSecretPrevious, ofHook].filter((secret) => secret !== null);
  parts.redaction.know([token, ...secrets]);
  const app = createWebApp({
    operations,
    metrics,
    logger,
    url,
    token,
    intake: intake({
      state,
      secrets,
      owns: forge.owns,
      clock,
      logger,
      onDelivery: (look) => (look === 'branches' ? void reconciler.look() : rehearsals.look()),
    }),
    version: version(),
    commitUrl: forge.commitUrl,
  });
  server.off('request', notYet);
  server.on('request', (request, response) => {
    const isQuestion = request.method === 'GET' || request.method === 'HEAD';
    if (isOpen() || isQuestion) app(request, response);
    else notYet(request, response);
  });
}

/** Who asks while the rooms are being composed gets an answer too. */
const notYet: RequestListener = (_request, response) => {
  const problem = {
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    detail: 'it is starting',
  };
  response
    .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' })
    .end(JSON.stringify(problem));
};
