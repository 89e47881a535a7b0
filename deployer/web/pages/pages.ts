import { Router } from 'express';
import type { Access } from '../access.ts';
import { named } from '../endpoint.ts';
import { orNotFound } from '../errors.ts';
import type { Operations } from '../../operations.ts';
import { deploymentPage } from './deployment.ts';
import { logTail } from './log-tail.ts';
import type { View } from './markup.ts';
import { overview } from './overview.ts';

const RECENT = 25;

/** The dashboard: `/` and `/deployments/ID`, to be read by whoever may read the API. */
export function pages({ operations, ...view }: View & { operations: Operations }, access: Access): Router {
  const router = Router();
  router.get('/', access.reading, async (_request, response) => {
    const [environments, { deployments }, problems] = await Promise.all([
      operations.environments(),
      operations.deployments({ limit: RECENT }),
      operations.problems(),
    ]);
    response.send(String(await overview({ environments, deployments, problems }, view)));
  });
  router.get('/deployments/:deployment', access.reading, async (request, response) => {
    const page = await orNotFound(operations, request, async () => {
      const { deployment: id } = named(request);
      const deployment = await operations.deployment(id);
      return deploymentPage(deployment, await logTail(operations, id), view);
    });
    response.send(String(page));
  });
  return router;
}
