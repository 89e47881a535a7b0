import { z } from 'zod';
import { environmentName } from '../../environments/schema.ts';
import { outcome } from './schemas.ts';

/** What the API accepts: unknown keys are errors. */

export const nothing = z.strictObject({});

const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}*$/u, 'expected one line');

const commit = z
  .string()
  .regex(/^[0-9a-f]{4,64}$/, 'expected a commit, 4 to 64 lower-case hexadecimal digits');
const branch = z.string().min(1).max(200);
const tag = z.string().regex(/^[\w.-]{1,100}$/, 'expected a tag such as v2026.11.20');

const override = {
  override: z.boolean().optional().meta({ description: 'passes gates and quarantine; needs a reason' }),
  reason: reason.optional(),
};
const overrideHasReason = (body: { override?: boolean | undefined; reason?: string | undefined }) =>
  body.override !== true || body.reason !== undefined;
const needsReason = { path: ['reason'], message: 'an override needs a reason' };

export const deployBody = z
  .strictObject({ branch: branch.optional(), commit: commit.optional(), ...override })
  .refine((body) => body.branch === undefined || body.commit === undefined, 'either a branch or a commit')
  .refine(overrideHasReason, needsReason);

export const promoteBody = z
  .strictObject({ from: environmentName, ...override })
  .refine(overrideHasReason, needsReason);

export const rollbackBody = z
  .strictObject({
    last: z.literal(true).optional().meta({ description: 'to the release before this one; the default' }),
    commit: commit.optional(),
    version: tag.optional(),
    restoreBackup: z.boolean().optional(),
    reason: reason.optional(),
  })
  .refine(
    ({ last, commit: to, version }) => [last, to, version].filter((given) => given !== undefined).length <= 1,
    'one of last, commit and version',
  );

export const verifyBody = z.strictObject({
  suites: z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'expected the name of a suite'))
    .max(50)
    .default([]),
});

export const backupBody = z.strictObject({
  full: z.boolean().default(false).meta({ description: 'with the files, beside the database' }),
});

export const restoreBody = z.strictObject({ reason: reason.optional() });

export const lockBody = z.strictObject({ reason });
export const removeBody = z.strictObject({ reason });

export const historyQuery = z.strictObject({
  environment: environmentName.optional(),
  commit: commit.optional(),
  outcome: outcome.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});

export const auditQuery = z.strictObject({ cursor: z.string().max(200).optional() });

export const migrationsQuery = z.strictObject({
  rehearsal: z
    .string()
    .regex(/^[\w-]{1,40}$/, 'expected the id of a rehearsal')
    .optional()
    .meta({ description: 'the rehearsal whose migrations `ran` is to list' }),
});
