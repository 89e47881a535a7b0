import type { Check, Suite } from '../model.ts';
import { MigrationError } from '../programs.ts';
import { longestHold } from '../stages/hold.ts';
import type { Work } from '../work.ts';
import { HOLD, REHEARSAL_SUITE } from './suite.ts';
import type { WayBack } from './way-back.ts';

/** What a rehearsal of migrations found out, as checks. */

/** What of the verification is made again under the hold. */
export function quickMs(suites: readonly Suite[]): number {
  const quick = suites.filter(({ name }) => name === 'service' || name === 'database');
  return Math.max(0, ...quick.map(({ durationMs }) => durationMs));
}

export function suiteOf(checks: Check[]): Suite {
  return { name: REHEARSAL_SUITE, success: checks.every(({ success }) => success), durationMs: 0, checks };
}

/** What failed is a check too, so that whoever reads the report finds the place. */
export async function failedUp({ tools, record }: Work, error: unknown): Promise<never> {
  if (error instanceof MigrationError) {
    const { migration, message, location } = error.report;
    const name = `up of ${migration ?? 'the migrations'}`;
    const check = { name, success: false, expected: 'done', actual: message, hint: null, location };
    await tools.journal.suites(record.id, [suiteOf([check])]);
  }
  throw error;
}

export function upCheck({ ran }: Work, migrateMs: number): Check {
  const name = `up of ${ran.map((migration) => migration.name).join(', ')}`;
  const actual = `done in ${seconds(migrateMs)}`;
  return { name, success: true, expected: 'done', actual, hint: null, location: null };
}

export function holdCheck({ config }: Work, ms: number): Check {
  const longest = longestHold(config.cutover.hold);
  const success = ms <= longest;
  const remedy = `raise cutover.hold to ${holdFor(ms)}s, or split the migration`;
  return {
    name: HOLD,
    success,
    // In the one line that most people get to read, too.
    expected: `at most ${seconds(longest)}${success ? '' : `: ${remedy}`}`,
    actual: `would take ${seconds(ms)}`,
    hint: success ? null : remedy,
    location: `environments/${config.name}.yaml`,
  };
}

/** A forecast is no promise, and a hold ends before its lease does. In whole seconds. */
const holdFor = (ms: number) => Math.ceil((ms * 1.5 + 2000) / 1000);

const WITHOUT_DOWN =
  'give the migration a down that brings back what was; without one, a rollback would need --restore-backup and drop what was written since';

export function wayBackCheck(work: Work, { problem, untried }: WayBack): Check {
  const demanded = work.config.migrations['require-reversible'];
  const found =
    untried.length > 0
      ? byHalf(work, untried)
      : `is proven ${work.proven ? 'by code alone, and by down' : 'by down'}`;
  return {
    name: 'the way back',
    success: problem === null || !demanded,
    expected: demanded ? 'schema and data come back' : 'to be known',
    actual: problem === null ? found : `is not there: ${problem}`,
    hint: problem === null ? null : WITHOUT_DOWN,
    location: null,
  };
}

/** A rollback counts once more, and is refused where rows would be lost. */
const byHalf = ({ proven }: Work, untried: readonly string[]) =>
  `${proven ? 'is proven by code alone; by down' : 'by down'} schema and data come back, but it could not be tried whether rows written since stay, in ${untried.join(', ')}`;

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
