import { z } from 'zod';
import { environmentName } from '../../environments/schema.ts';
import { STAGES } from '../deployment/model.ts';
import type { Check, Deployment, DeploymentSummary, EnvironmentStatus, Lock } from '../deployment/model.ts';
import type {
  AuditEntry,
  AuditTrail,
  Backup,
  BackupVerification,
  DrillReport,
  MigrateReport,
  Removed,
} from '../operations.ts';

/** What the API answers, as contract section 6 writes it: OpenAPI is made from it and the command line parses with it. */

export const outcome = z.enum([
  'deployed',
  'ok',
  'rejected',
  'rolled_back',
  'failed',
  'refused',
  'superseded',
  'needs_attention',
]);

const time = z.string().meta({ description: 'ISO 8601, UTC' });

const check = z.object({
  name: z.string(),
  success: z.boolean(),
  expected: z.string(),
  actual: z.string(),
  hint: z.string().nullable(),
  location: z.string().nullable().meta({ description: 'file and line in the tree' }),
}) satisfies z.ZodType<Check>;

const suite = z.object({
  name: z.string(),
  success: z.boolean(),
  durationMs: z.number(),
  checks: z.array(check),
});

const stage = z.object({
  name: z.enum(STAGES),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'skipped']),
  durationMs: z.number().nullable(),
  cause: z.string().nullable().meta({ description: 'why it failed or was skipped' }),
});

const summary = z.object({
  id: z.string(),
  kind: z.enum(['deploy', 'rollback', 'restore', 'rehearsal']),
  environment: z.string(),
  branch: z.string(),
  commit: z.string(),
  tree: z.string().nullable(),
  outcome: outcome.nullable().meta({ description: 'null while it runs' }),
  cause: z.string().nullable(),
  requestedBy: z.string(),
  requestedAt: time,
  liveAt: time.nullable(),
  finishedAt: time.nullable(),
  tag: z.string().nullable(),
}) satisfies z.ZodType<DeploymentSummary>;

export const deployment = summary
  .extend({
    stages: z.array(stage),
    suites: z.array(suite),
    logTail: z.array(z.string()).optional().meta({
      description: 'when it failed: the last lines of its instance, without what looks like a secret',
    }),
    reproduce: z
      .array(z.string())
      .optional()
      .meta({ description: 'when it failed: shell lines that do the same in a clone' }),
  })
  .meta({ id: 'Deployment' }) satisfies z.ZodType<Deployment>;

export const deploymentPage = z
  .object({
    deployments: z.array(summary),
    next: z.string().nullable().meta({ description: 'the cursor of the next page' }),
  })
  .meta({ id: 'DeploymentPage' });

const lock = z.object({ reason: z.string(), holder: z.string(), since: time }) satisfies z.ZodType<Lock>;

export const environment = z
  .object({
    name: z.string(),
    live: deployment.nullable(),
    running: deployment.nullable(),
    waiting: deployment.nullable(),
    last: deployment.nullable(),
    lock: lock.nullable(),
    quarantined: z.array(z.string()),
  })
  .meta({ id: 'Environment' }) satisfies z.ZodType<EnvironmentStatus>;

export const environments = z.object({ environments: z.array(environment) }).meta({ id: 'Environments' });

/** What an operator should know, one sentence each. */
export const problems = z.object({ problems: z.array(z.string()) }).meta({ id: 'Problems' });

export const verification = z
  .object({ success: z.boolean(), suites: z.array(suite) })
  .meta({ id: 'Verification' });

export const migrations = z
  .object({
    success: z.boolean(),
    applied: z.array(z.string()),
    pending: z.array(z.string()),
    ran: z.array(
      z.object({
        name: z.string(),
        durationMs: z.number(),
        touches: z.array(z.string()),
        reversible: z.boolean(),
      }),
    ),
    error: z
      .object({ migration: z.string().nullable(), message: z.string(), location: z.string().nullable() })
      .nullable(),
  })
  .meta({ id: 'Migrations' }) satisfies z.ZodType<MigrateReport>;

export const backup = z
  .object({
    id: z.string(),
    kind: z.enum(['manual', 'before-deploy', 'database', 'full']),
    verifiedAt: time,
  })
  .meta({ id: 'Backup' }) satisfies z.ZodType<Backup>;

/** An environment that was taken away, and the backup of it all. */
export const removed = z
  .object({ name: z.string(), backup: z.string().nullable() })
  .meta({ id: 'Removed' }) satisfies z.ZodType<Removed>;

export const backupVerification = z
  .object({
    id: z.string(),
    kind: backup.shape.kind.nullable().meta({ description: 'null when the manifest is damaged' }),
    verifiedAt: time.nullable(),
    success: z.boolean(),
    checks: z.array(check),
  })
  .meta({ id: 'BackupVerification' }) satisfies z.ZodType<BackupVerification>;

export const drillReport = backup
  .extend({ success: z.boolean(), suites: z.array(suite) })
  .meta({ id: 'DrillReport' }) satisfies z.ZodType<DrillReport>;

export const backups = z.object({ backups: z.array(backup) }).meta({ id: 'Backups' });

const auditEntry = z.object({
  at: time,
  actor: z.string(),
  action: z.string(),
  environment: z.string().nullable(),
  deployment: z.string().nullable(),
  detail: z.string(),
}) satisfies z.ZodType<AuditEntry>;

export const audit = z
  .object({ entries: z.array(auditEntry), next: z.string().nullable() })
  .meta({ id: 'Audit' }) satisfies z.ZodType<AuditTrail>;

/** RFC 9457, with the outcome of contract section 6 where the deployer said no. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    outcome: outcome.optional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.output<typeof problem>;

export const parameters = {
  environment: environmentName,
  deployment: z.string().regex(/^[\w-]{1,80}$/, 'expected the id of a deployment'),
  backup: z
    .string()
    .regex(/^(newest|\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)$/, 'expected the id of a backup, or newest'),
};

/** Who asks, for the record. */
export const requestedBy = z
  .string()
  .regex(/^[\w.@:-]{1,60}$/, 'X-Requested-By: expected at most 60 letters, digits and . @ : - _')
  .default('api');
