import { z } from 'zod';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The longest that a timer can wait. */
const MOST_MS = 2 ** 31 - 1;

/** A duration as people write it (`500ms`, `30s`, `5m`, `1h`, `1d`), in milliseconds. */
const duration = z
  .string()
  .regex(/^\d{1,6}(ms|s|m|h|d)$/, 'expected a duration such as 500ms, 30s, 5m, 1h or 1d')
  .transform((text) => {
    const [, amount = '0', unit = 's'] = /^(\d+)(\w+)$/.exec(text) ?? [];
    return Number(amount) * UNITS[unit as keyof typeof UNITS];
  })
  .refine((milliseconds) => milliseconds <= MOST_MS, 'expected at most 24d')
  .meta({ description: 'a duration: 500ms, 30s, 5m, 1h or 1d' });

const milliseconds = (text: string) => duration.parse(text);

/** A duration from `least` to `most`, which are written as in a file. */
const between = (least: string, most: string) =>
  duration.refine(
    (value) => value >= milliseconds(least) && value <= milliseconds(most),
    `expected ${least} to ${most}`,
  );

/** A backup takes seconds; one after the other without a pause would be all that the machine does. */
const scheduled = between('1m', '24d').optional();

/** A duration in milliseconds; `fallback` is written as in a file, so that there is one notation. */
const durationOr = (fallback: string) => duration.default(() => milliseconds(fallback));

const command = z
  .string()
  .trim()
  .min(1)
  .meta({ description: 'split into words as a shell would; no shell runs' });

/** `host:port`; an IPv6 host in brackets. */
const listen = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, 'expected host:port, such as 127.0.0.1:8000')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'expected a port up to 65535');

/** The name is used in paths, socket names and status contexts. */
export const environmentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'expected lower-case letters, digits and dashes, at most 31');

const fileName = z
  .string()
  .regex(/^(?!\.)[A-Za-z0-9._-]{1,100}$/, 'expected a plain file name, such as app.db');

const database = z.discriminatedUnion('client', [
  z.strictObject({ client: z.literal('better-sqlite3'), file: fileName }),
  z.strictObject({ client: z.literal('pg'), 'url-from': z.string().regex(/^[A-Z][A-Z0-9_]*$/) }),
]);

/** One `environments/<name>.yaml`: the desired state of an environment. All durations in milliseconds. */
export const environmentSchema = z.strictObject({
  name: environmentName,
  branch: z.string().min(1).max(200),
  url: z.url({ protocol: /^https?$/ }).optional(),
  listen,
  requires: environmentName.optional(),
  commands: z.strictObject({
    install: command.optional(),
    start: command,
    migrate: command.optional(),
    verify: command.optional(),
  }),
  database: database.optional(),
  verify: z
    .strictObject({
      suites: z
        .array(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/))
        .min(1)
        .optional()
        .meta({ description: 'what verify is asked for and must answer; absent: all that the program has' }),
      timeout: durationOr('120s'),
    })
    .prefault({}),
  boot: z.strictObject({ timeout: durationOr('30s') }).prefault({}),
  migrations: z.strictObject({ 'require-reversible': z.boolean().default(false) }).prefault({}),
  cutover: z
    .strictObject({
      // Nobody waits longer for an answer.
      hold: between('1ms', '1h').default(() => milliseconds('10s')),
      settle: durationOr('60s'),
    })
    .prefault({}),
  revert: z.enum(['pull-request', 'push', 'off']).default('pull-request'),
  backups: z
    .strictObject({
      'before-deploy': z.boolean().default(false),
      keep: z.number().int().min(1).max(1000).default(5),
      schedule: z.strictObject({ database: scheduled, full: scheduled }).prefault({}),
    })
    .prefault({}),
  service: z.strictObject({ unit: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/) }).optional(),
});

export type Environment = z.output<typeof environmentSchema>;
