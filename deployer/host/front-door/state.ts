import { z } from 'zod';
import { asking, stateSchema } from '../sluice/control-client.ts';

/** What the front door says about itself, beside what any sluice does. */
export const { ask, look } = asking(
  stateSchema.extend({ listen: z.string(), requests: z.number(), errors: z.number() }),
);
