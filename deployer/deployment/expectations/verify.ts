import { contextOf } from '../migration.ts';
import type { Check, Suite } from '../model.ts';
import { verify } from '../programs.ts';
import { socketPath } from '../instance.ts';
import { demandRunning } from '../still-running.ts';
import type { Instance, Work } from '../work.ts';
import { judgeSeen, malformed, tooMany } from './judge.ts';
import { look, PATIENCE_MS } from './look.ts';
import { wantedBy, type Wanted } from './wanted.ts';

const MOST_EXPECTATIONS = 200;

/** The release's own verification of an instance, and what the commits that it brings expect of it. */
export async function verifyWork(
  work: Work,
  asked: Omit<Parameters<typeof verify>[2], 'baseline'>,
): Promise<Suite[]> {
  const [suites, expected] = await Promise.all([
    verify(work.tools, contextOf(work), asked),
    expectations(work, asked.instance),
  ]);
  const all = withExpectations(suites, expected);
  if (all.some(({ success }) => !success)) await demandRunning(work, asked.instance);
  return all;
}

/** null when nothing is expected; what goes back to an earlier release brings no commit. */
export async function expectations(
  work: Work,
  instance: Pick<Instance, 'environment' | 'slot'>,
): Promise<Suite | null> {
  const { tools, record, live, target } = work;
  if (record.kind !== 'deploy' && record.kind !== 'rehearsal') return null;
  // Writes wait, and the rehearsal has seen these pages on the migrated copy.
  if (work.hold && work.rehearsed) return null;
  const began = performance.now();
  const wanted = await wantedBy(tools.mirror, { from: live?.record.commit ?? null, to: target.commit });
  if (wanted.length === 0) return null;
  const checks = await check(work, instance, wanted.slice(0, MOST_EXPECTATIONS));
  if (wanted.length > MOST_EXPECTATIONS) checks.push(tooMany(wanted.length, MOST_EXPECTATIONS));
  const success = checks.every((one) => one.success);
  return { name: 'content', success, durationMs: Math.round(performance.now() - began), checks };
}

/** Each page is asked once, one after the other, and all of them within the time of the verification. */
async function check(
  { tools, config, signal }: Work,
  instance: Pick<Instance, 'environment' | 'slot'>,
  wanted: readonly Wanted[],
): Promise<Check[]> {
  const socket = socketPath(tools, instance.environment, instance.slot);
  const host = new URL(config.url ?? `http://${config.listen}`).host;
  const deadline = performance.now() + config.verify.timeout;
  const checks: Check[] = wanted.flatMap((one) => ('problem' in one ? [malformed(one)] : []));
  const understood = wanted.flatMap((one) => ('expectation' in one ? [one] : []));
  const pages = Map.groupBy(understood, ({ expectation: { method, path } }) => `${method} ${path}`);
  for (const group of pages.values()) {
    const page = group[0]?.expectation;
    if (!page) continue;
    const timeoutMs = Math.min(PATIENCE_MS, deadline - performance.now());
    const seen = timeoutMs > 0 ? await look({ ...page, socket, host, timeoutMs, signal }) : LATE;
    signal.throwIfAborted();
    checks.push(...group.map((one) => judgeSeen(one, seen)));
  }
  return checks;
}

const LATE = 'was not asked: the time for the verification is over';

/** Into the release's own `content`, where it has one. */
function withExpectations(suites: Suite[], expected: Suite | null): Suite[] {
  if (!expected) return suites;
  const own = suites.find(({ name }) => name === expected.name);
  if (!own) return [...suites, expected];
  const both = {
    ...own,
    success: own.success && expected.success,
    durationMs: Math.max(own.durationMs, expected.durationMs),
    checks: [...own.checks, ...expected.checks],
  };
  return suites.map((suite) => (suite === own ? both : suite));
}
