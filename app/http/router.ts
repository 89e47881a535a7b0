import type { Express } from 'express';
import { z } from 'zod';

const routeShape = z.object({ path: z.string(), methods: z.record(z.string(), z.boolean()) });
// a layer without a route is middleware
const stackShape = z.array(z.object({ route: routeShape.optional() }));

/** Every route that the application's router really holds. */
export function describeRoutes(application: Express): { method: string; path: string }[] {
  const stack = stackShape.parse(application.router.stack);
  return stack.flatMap(({ route }) =>
    Object.keys(route?.methods ?? {}).map((method) => ({
      method: method.toUpperCase(),
      path: route?.path ?? '',
    })),
  );
}
