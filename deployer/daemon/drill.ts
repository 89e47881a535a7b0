import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeBackup, restoreDatabase, restoreFiles, verifyBackup } from '../../backups/index.ts';
import type { Environment } from '../../environments/schema.ts';
import { openGenerations } from '../data/index.ts';
import type { Generation, Generations } from '../data/types.ts';
import { boot, stop } from '../deployment/instance.ts';
import { differing } from '../data/fingerprint.ts';
import type { Check, Suite } from '../deployment/model.ts';
import { migrateUp, verify, type ReleaseContext } from '../deployment/programs.ts';
import type { Tools } from '../deployment/work.ts';
import { FailedError, oneLine } from '../problem.ts';
import { backupsOf, sentence } from './backups.ts';

/** The base name of the drilled instance's socket. */
const SLOT = 'drill';

/** A room of its own: no deployment sweeps what is in it, and nothing that is live looks into it. */
const roomOf = (home: string) => join(home, 'scratch', '.drill');

/** What the restored data was before anything ran on it, for the release's own verification. */
const baselineOf = (home: string, environment: string) => join(roomOf(home), `${environment}-baseline.json`);

/**
 * Restores a backup beside what is live, boots the live release on it, read-only on a private socket, and verifies
 * everything. Nothing is left of it.
 * @param context the live release
 * @throws FailedError when it cannot be tried at all; the signal's reason. What is found wrong is in the suites.
 */
export async function drill(tools: Tools, context: ReleaseContext, backup: string): Promise<Suite[]> {
  const { config, signal } = context;
  const which = { directory: backupsOf(tools.home, config.name), id: backup };
  const began = performance.now();
  const { checks } = await sentence(verifyBackup(which, signal));
  const whole = suiteOf('backup', began, checks);
  if (!whole.success) return [whole];
  const generations = openGenerations(roomOf(tools.home), config);
  if (!generations) throw new FailedError(`${config.name} has no database to restore into`);
  await clear(tools, config.name);
  try {
    return [whole, ...(await tryOut(tools, context, { which, generations }))];
  } finally {
    await clear(tools, config.name);
  }
}

/** Ends and removes what a drill left whose daemon died. */
export async function clearDrills(tools: Tools): Promise<void> {
  const left = (await tools.instances.all()).filter(({ slot }) => slot === SLOT);
  for (const instance of left) await stop(tools, instance, 0);
  await rm(roomOf(tools.home), { recursive: true, force: true });
}

async function clear(tools: Tools, environment: string): Promise<void> {
  const instance = await tools.instances.get(environment, SLOT);
  if (instance) await stop(tools, instance, 0);
  for (const kind of ['data', 'files'])
    await rm(join(roomOf(tools.home), kind, environment), { recursive: true, force: true });
  await rm(baselineOf(tools.home, environment), { force: true });
}

type Which = Parameters<typeof verifyBackup>[0];

/** Each step needs the one before it. */
const STEPS = {
  restore: 'its data in a database of its own',
  migrate: 'the live release brings it to its schema',
  boot: 'the live release is healthy on it',
} as const;
type Step = keyof typeof STEPS;

async function tryOut(
  tools: Tools,
  context: ReleaseContext,
  { which, generations }: { which: Which; generations: Generations },
): Promise<Suite[]> {
  const { config, release, deployment, signal } = context;
  const began = performance.now();
  const done: Check[] = [];
  const step = async <T>(name: Step, run: () => Promise<T>): Promise<T> => {
    try {
      const result = await run();
      done.push(checkOf(name, null));
      return result;
    } catch (error) {
      signal.throwIfAborted();
      done.push(checkOf(name, oneLine(error)));
      throw error;
    }
  };
  try {
    const generation = await step('restore', () => restore(tools, config, { which, generations, signal }));
    if (config.commands.migrate) await step('migrate', () => migrateUp(tools, context, generation));
    const before = await generations.fingerprint(generation);
    const baseline = baselineOf(tools.home, config.name);
    await writeFile(baseline, JSON.stringify({ tables: before }), { mode: 0o600 });
    const asked = {
      config,
      slot: SLOT,
      release,
      generation,
      deployment,
      readOnly: true,
      background: true,
      signal,
    };
    const instance = await step('boot', () => boot(tools, asked));
    const suites = await verify(tools, context, {
      instance,
      generation,
      suites: config.verify.suites ?? [],
      baseline,
    });
    signal.throwIfAborted();
    const changed = differing(before, await generations.fingerprint(generation));
    return [suiteOf('drill', began, [...done, unchanged(changed)]), ...suites];
  } catch (error) {
    if (done.every(({ success }) => success)) throw error;
    return [suiteOf('drill', began, done)];
  }
}

async function restore(
  { home }: Tools,
  { name }: Environment,
  { which, generations, signal }: { which: Which; generations: Generations; signal: AbortSignal },
): Promise<Generation> {
  const generation = await generations.fill((toFile) =>
    sentence(restoreDatabase({ ...which, toFile }, signal)),
  );
  const { archive } = await sentence(describeBackup(which));
  if (!archive) return generation;
  const toDirectory = join(roomOf(home), 'files', name);
  await mkdir(dirname(toDirectory), { recursive: true, mode: 0o700 });
  await sentence(restoreFiles({ ...which, toDirectory }, signal));
  return { ...generation, env: { ...generation.env, FILES_DIR: toDirectory } };
}

const checkOf = (step: Step, problem: string | null): Check => ({
  name: step,
  success: problem === null,
  expected: STEPS[step],
  actual: problem ?? STEPS[step],
  hint: problem === null ? null : 'this backup would not have helped: make a new one and drill that',
  location: null,
});

const unchanged = (changed: string[]): Check => ({
  name: 'the data',
  success: changed.length === 0,
  expected: 'no change',
  actual: changed.length === 0 ? 'no change' : `was changed: ${changed.join(', ')}`,
  hint: changed.length === 0 ? null : 'start-up code must not write',
  location: null,
});

const suiteOf = (name: string, began: number, checks: Check[]): Suite => ({
  name,
  success: checks.every(({ success }) => success),
  durationMs: Math.round(performance.now() - began),
  checks,
});
