import { readApplied } from './applied.ts';
import { parseInvocation, USAGE, UsageError, type Invocation } from './arguments.ts';
import { execute, type Ran } from './execute.ts';
import { describeFailure, type Failure } from './failure.ts';
import { openForWriting } from './open.ts';
import { mentionUnknown, pendingOf, plan, refuseUnknown, type State } from './plan.ts';
import { renderReport } from './render.ts';
import { listMigrations, loadMigration, type Migration } from './tree.ts';

/** What the program prints with `--json`. `applied` and `pending` say how things stand afterwards. */
export interface Report {
  success: boolean;
  applied: string[];
  pending: string[];
  ran: Ran[];
  error: Failure | null;
}

export interface Output {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** Runs the program and returns its exit code: 0 done, 1 not, 2 wrong usage. Never throws. */
export async function main(argv: string[], env: NodeJS.ProcessEnv, output: Output): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = parseInvocation(argv, env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.stderr.write(`migrate: ${error.message}\n\n${USAGE}`);
    return 2;
  }
  const report = await migrate(invocation, (line) => output.stderr.write(`${line}\n`));
  output.stdout.write(invocation.json ? `${JSON.stringify(report)}\n` : renderReport(report));
  return report.success ? 0 : 1;
}

/** Does what the invocation asks, stops at the first failure, and says how things stand afterwards. */
async function migrate(invocation: Invocation, log: (line: string) => void): Promise<Report> {
  const ran: Ran[] = [];
  let error: Failure | null = null;
  try {
    const before = await readState(invocation);
    if (invocation.verb === 'status') mentionUnknown(before, log);
    else refuseUnknown(before);
    const names = plan(invocation.verb, invocation.to, before);
    if (names.length > 0) await runAll(invocation, names, ran, log);
  } catch (caught) {
    error = describeFailure(caught);
  }
  const after = await readState(invocation).catch((caught: unknown) => {
    error ??= describeFailure(caught);
    return { known: [], applied: [] };
  });
  return { success: error === null, applied: after.applied, pending: pendingOf(after), ran, error };
}

async function readState({ directory, target }: Invocation): Promise<State> {
  const [known, applied] = await Promise.all([listMigrations(directory), readApplied(target)]);
  return { known, applied };
}

async function runAll(
  { verb, directory, target }: Invocation,
  names: string[],
  ran: Ran[],
  log: (line: string) => void,
): Promise<void> {
  const direction = verb === 'down' ? 'down' : 'up';
  const migrations: Migration[] = [];
  // All are loaded before the first one runs: a file that does not even load should cost nothing.
  for (const name of names) migrations.push(await loadMigration(directory, name));
  const { knex, assertSound } = await openForWriting(target, log);
  try {
    for (const migration of migrations) {
      log(`${direction} ${migration.name}`);
      ran.push(await execute({ knex, directory, assertSound }, direction, migration));
    }
  } finally {
    await knex.destroy();
  }
}
