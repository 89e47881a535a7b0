import { dirname } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../environments/schema.ts';
import type { Generation } from '../data/types.ts';
import { FailedError, oneLine } from '../problem.ts';
import { redactAll, redactedChecks } from '../redaction.ts';
import type { MigrateReport } from '../operations.ts';
import type { Release } from '../release/types.ts';
import { argvOf, releaseEnvironment, writesOf } from './environment-of.ts';
import { healthOf, realSocketPath } from './instance.ts';
import { tellingWords } from './last-words.ts';
import type { Check, Suite } from './model.ts';
import type { Instance, Tools } from './work.ts';

/** A release and the names that its programs see. */
export interface ReleaseContext {
  config: Environment;
  release: Release;
  deployment: { id: string; commit: string; branch: string };
  /** See `releaseEnvironment`. */
  runsAgain?: boolean | undefined;
  /** Milliseconds that its migrations may take each time; absent: half an hour. */
  migrateMs?: number | undefined;
  signal: AbortSignal;
  log: (line: string) => void;
  /** Its programs give way to what visitors wait for. */
  background: boolean;
}

/** A migration failed; it says which, why and where. */
export class MigrationError extends FailedError {
  override name = 'MigrationError';
  readonly report: NonNullable<MigrateReport['error']>;
  constructor(message: string, report: NonNullable<MigrateReport['error']>) {
    super(message);
    this.report = report;
  }
}

const MIGRATE_TIMEOUT_MS = 30 * 60_000;
/** To say what is pending. */
const STATUS_TIMEOUT_MS = 60_000;

const text = z.string().max(10_000);
const migrateReport = z.object({
  success: z.boolean(),
  applied: z.array(text),
  pending: z.array(text),
  ran: z.array(
    z.object({ name: text, durationMs: z.number(), touches: z.array(text), reversible: z.boolean() }),
  ),
  error: z.object({ migration: text.nullable(), message: text, location: text.nullable() }).nullable(),
});

const check = z.object({
  name: text,
  success: z.boolean(),
  expected: z.coerce.string().default(''),
  actual: z.coerce.string().default(''),
  hint: text.nullable().default(null),
  location: text.nullable().default(null),
});
const verifyReport = z.object({
  success: z.boolean(),
  suites: z.array(
    z.object({ name: text, success: z.boolean(), durationMs: z.number(), checks: z.array(check) }),
  ),
});

/**
 * Runs a release's `migrate` program on a generation (contract section 5).
 * @throws FailedError when it says no, or does not say what the contract asks
 */
export async function migrate(
  tools: Tools,
  context: ReleaseContext,
  generation: Generation,
  args: readonly ['status'] | readonly ['up'] | readonly ['down', '--to', string],
): Promise<MigrateReport> {
  const result = await run(
    tools,
    context,
    'migrate',
    [...args, '--json'],
    generation,
    {},
    [],
    args[0] === 'status' ? STATUS_TIMEOUT_MS : (context.migrateMs ?? MIGRATE_TIMEOUT_MS),
  );
  const reported = parse(migrateReport, result.stdout);
  // Names stay as they are: they are compared with what there is.
  const report = reported && { ...reported, error: redactAll(reported.error, tools.redaction.redact) };
  if (!report)
    throw new FailedError(
      `migrate ${args[0]} ${ended(result)} and printed no report${said(result, context.release)}`,
    );
  if (!report.success || result.exitCode !== 0) {
    if (!report.error) throw new FailedError(`migrate ${args[0]} ${ended(result)}`);
    throw new MigrationError(reasonOf(args[0], report.error), report.error);
  }
  return report;
}

/**
 * Brings a generation to the release's schema. It is asked first: a release that came back onto a newer schema has nothing to
 * do there, and its `up` may refuse what it does not know.
 */
export async function migrateUp(
  tools: Tools,
  context: ReleaseContext,
  generation: Generation,
): Promise<MigrateReport> {
  const there = await migrate(tools, context, generation, ['status']);
  return there.pending.length === 0 ? there : migrate(tools, context, generation, ['up']);
}

/** `migrations/003_fails.ts:7: no such table: nowhere`: the place first, as compilers say it. */
function reasonOf(
  verb: string,
  { migration, message, location }: NonNullable<MigrateReport['error']>,
): string {
  if (migration === null && location === null) return `migrate ${verb}: ${message}`;
  const named = migration && !location?.includes(migration) ? `${migration}: ` : '';
  return `${location ? `${location}: ` : ''}${named}${message}`;
}

/** Judges a running instance by the release's own `verify` program, or by `service` alone when it has none. */
export async function verify(
  tools: Tools,
  context: ReleaseContext,
  target: {
    instance: Pick<Instance, 'environment' | 'slot'>;
    generation: Generation | null;
    suites: readonly string[];
    /** Where the data's fingerprint is written. */
    baseline?: string;
  },
): Promise<Suite[]> {
  const { config } = context;
  const socket = realSocketPath(tools, target.instance.environment, target.instance.slot);
  if (!config.commands.verify) return [await service(socket, config)];
  const { baseline } = target;
  const args = [
    '--url',
    config.url ?? `http://${config.listen}`,
    '--socket',
    socket,
    ...target.suites.flatMap((suite) => ['--suite', suite]),
    ...(baseline ? ['--baseline', baseline] : []),
    '--json',
  ];
  const result = await run(
    tools,
    context,
    'verify',
    args,
    target.generation,
    { LISTEN: socket },
    [dirname(socket), ...(baseline ? [baseline] : [])],
    config.verify.timeout,
  );
  const report = parse(verifyReport, result.stdout);
  if (!report)
    return [
      broken(
        `${ended(result)} and printed ${tools.redaction.redact(instead(result))}${said(result, context.release)}`,
      ),
    ];
  return [
    ...report.suites.map((suite) => redactedChecks(strict(suite), tools.redaction.redact)),
    ...unanswered(report.suites, target.suites),
    ...contradictions(report, result.exitCode),
  ];
}

/** The suite that the deployer itself provides: the process is up, its socket answers, `health` is 200. */
export async function service(socket: string, config: Environment): Promise<Suite> {
  const began = performance.now();
  const { status } = await healthOf(socket, Math.min(config.verify.timeout, 5000));
  const success = status === 200;
  const actual = status === null ? 'did not answer' : `gave ${status}`;
  const health: Check = {
    name: 'GET /_deploy/health',
    success,
    expected: '200',
    actual,
    hint: success ? null : 'see the log of the instance',
    location: null,
  };
  return { name: 'service', success, durationMs: Math.round(performance.now() - began), checks: [health] };
}

interface Finished {
  exitCode: number | null;
  timedOut: boolean;
  stdout: string;
  tail: string;
}

async function run(
  tools: Tools,
  context: ReleaseContext,
  field: 'migrate' | 'verify',
  args: readonly string[],
  generation: Generation | null,
  extra: Readonly<Record<string, string>>,
  reads: readonly string[],
  timeoutMs: number,
): Promise<Finished> {
  const { config, release, deployment, signal, log } = context;
  const env = releaseEnvironment({
    home: tools.home,
    config,
    release,
    generation,
    deployment: deployment.id,
    commit: deployment.commit,
    branch: deployment.branch,
    deployedAt: tools.clock().toISOString(),
    secrets: tools.secretsOf(config.name),
    runsAgain: context.runsAgain,
  });
  const result = await tools.runCommand({
    argv: [...argvOf(tools.splitCommand, config, field), ...args],
    cwd: release.directory,
    env: {
      ...env,
      ...extra,
    },
    reads,
    writes: writesOf(env).filter((path) => path !== env['FILES_DIR']),
    stdout: 'collect',
    background: context.background,
    timeoutMs,
    signal,
    log,
  });
  // One that we have ended ourselves says nothing about the release.
  signal.throwIfAborted();
  return { ...result, tail: tools.redaction.hide(result.tail) };
}

function parse<T>(schema: z.ZodType<T>, stdout: string): T | null {
  try {
    return schema.parse(JSON.parse(stdout));
  } catch {
    return null;
  }
}

const instead = ({ stdout }: Finished) =>
  stdout.trim() === '' ? 'no report' : JSON.stringify(oneLine(stdout, 40));

const ended = ({ exitCode, timedOut }: Finished) =>
  timedOut ? 'ran out of time' : `exited with ${exitCode ?? 'a signal'}`;

/** Wrong usage is said in the first line, before the help; anything else where the program broke off. */
function said({ exitCode, tail }: Finished, release: Release): string {
  const words = exitCode === 2 ? (tail.trim().split('\n')[0] ?? '') : tail;
  return words.trim() === '' ? '' : `: ${tellingWords(words, release.directory)}`;
}

function broken(actual: string): Suite {
  const failed: Check = {
    name: 'the verify program',
    success: false,
    expected: 'a JSON report',
    actual,
    hint: 'run commands.verify by hand, see contract section 5',
    location: null,
  };
  return { name: 'service', success: false, durationMs: 0, checks: [failed] };
}

/** A suite with a failed check has failed, whatever it says of itself. */
function strict(suite: Suite): Suite {
  return { ...suite, success: suite.success && suite.checks.every((one) => one.success) };
}

/** A suite that was asked for and not reported has not passed. */
function unanswered(suites: readonly Suite[], asked: readonly string[]): Suite[] {
  return asked
    .filter((name) => !suites.some((suite) => suite.name === name))
    .map((name) => ({ ...broken(`has not run the suite ${name}`), name }));
}

/** A program that says success with a failed check, or fails without one, is not believed. */
function contradictions(report: z.infer<typeof verifyReport>, exitCode: number | null): Suite[] {
  const passed = report.suites.every((suite) => suite.success && suite.checks.every((one) => one.success));
  if (passed === (report.success && exitCode === 0)) return [];
  return passed ? [broken(`exited with ${exitCode ?? 'a signal'} although no check failed`)] : [];
}
