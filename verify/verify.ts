import { readFileSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { UsageError, type Invocation, type SuiteName } from './arguments.ts';
import { check } from './check.ts';
import { createClient } from './client.ts';
import type { Baseline, Context } from './context.ts';
import { openReader, parseTarget, type Reader, type Target } from './database/reader.ts';
import type { Check, Report, SuiteReport } from './report.ts';
import { isObject, isText, parseObject } from './shape.ts';

const SUITES: Record<SuiteName, () => Promise<{ run: (context: Context) => Promise<Check[]> }>> = {
  service: () => import('./suites/service.ts'),
  routes: () => import('./suites/routes.ts'),
  database: () => import('./suites/database.ts'),
  content: () => import('./suites/content.ts'),
  integrity: () => import('./suites/integrity.ts'),
  regressions: () => import('./suites/regressions.ts'),
};

/** Suites that ask nothing of the database. */
const OUTSIDE = new Set<SuiteName>(['service', 'regressions']);
/** Suites that read whole tables. */
const HEAVY = new Set<SuiteName>(['database', 'integrity']);
/** Reading a larger file holds up this thread so long that the timeouts of requests would expire unjustly. */
const LARGE_BYTES = 32 * 1024 * 1024;

/** Judges the instance by the chosen suites, side by side. @throws {UsageError} before anything was judged */
export async function verify(
  invocation: Invocation,
  env: NodeJS.ProcessEnv,
  large = LARGE_BYTES,
): Promise<Report> {
  const target = invocation.suites.every((suite) => OUTSIDE.has(suite)) ? null : parseTarget(env);
  const apart = target !== null && sizeOf(target) > large;
  const client = createClient({ ...invocation, url: new URL(invocation.url) });
  const database = lazily(target);
  const context: Context = {
    client,
    direct: invocation.socket !== null,
    reader: database.open,
    baseline: invocation.baseline === null ? null : readBaseline(invocation.baseline),
    release: { commit: env['RELEASE_COMMIT'] ?? '', deploymentId: env['DEPLOYMENT_ID'] ?? '' },
  };
  try {
    const run = (name: SuiteName): Promise<SuiteReport> =>
      apart && HEAVY.has(name) ? runApart({ ...invocation, suites: [name] }, env) : runSuite(name, context);
    const suites = await Promise.all(invocation.suites.map(run));
    return { success: suites.every(({ success }) => success), suites };
  } finally {
    client.close();
    await database.close();
  }
}

async function runSuite(name: SuiteName, context: Context): Promise<SuiteReport> {
  const started = performance.now();
  let checks: Check[] = [];
  const whole = await check(`the suite ${name}`, 'runs to its end', async () => {
    const { run } = await SUITES[name]();
    checks = await run(context);
    return null;
  });
  if (!whole.success) checks = [whole];
  const durationMs = Math.round(performance.now() - started);
  return { name, success: checks.every(({ success }) => success), durationMs, checks };
}

/** Runs one suite in a thread of its own, with its own connections. */
async function runApart(invocation: Invocation, env: NodeJS.ProcessEnv): Promise<SuiteReport> {
  const [name] = invocation.suites;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { invocation, env: { ...env } },
  });
  return new Promise((resolve, reject) => {
    worker.once('message', ({ suites: [suite] }: Report) => {
      if (suite === undefined) reject(new Error(`the suite ${name} reported nothing`));
      else resolve(suite);
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`the suite ${name} ended without a report`)));
  });
}

function sizeOf(target: Target): number {
  return target.client === 'sqlite' ? (statSync(target.file, { throwIfNoEntry: false })?.size ?? 0) : 0;
}

/** The database, opened when the first suite asks for it. */
function lazily(target: Target | null) {
  let opened: Promise<Reader> | null = null;
  return {
    open: (): Promise<Reader> => {
      if (target === null) return Promise.reject(new Error('no database was given'));
      opened ??= openReader(target);
      return opened;
    },
    close: async (): Promise<void> => {
      const reader = await opened?.catch(() => null);
      await reader?.close();
    },
  };
}

/** @throws {UsageError} */
function readBaseline(file: string): Baseline {
  const tables = parseObject(readFileSync(file, 'utf8'))?.['tables'];
  if (!isObject(tables)) throw new UsageError(`--baseline holds no "tables": ${file}`);
  return Object.fromEntries(
    Object.entries(tables).map(([name, table]) => {
      const { rows, digest } = isObject(table) ? table : {};
      if (typeof rows !== 'number' || !isText(digest))
        throw new UsageError(`--baseline: ${name} lacks rows or digest`);
      return [name, { rows, digest }];
    }),
  );
}
