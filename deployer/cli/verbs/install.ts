import type { StepResult } from '../../install/execute.ts';
import type { Context, OptionSpec, Verb } from '../verb.ts';
import type { Result } from '../outcome.ts';
import type { Paint } from '../text/paint.ts';

const DRY_RUN: Record<string, OptionSpec> = { 'dry-run': { help: 'prints the plan, and does nothing' } };

export const install: Verb = {
  name: 'install',
  arguments: [],
  summary: 'sets up this machine as a systemd host (root)',
  options: DRY_RUN,
  async run(context) {
    const rooms = await import('../../install/install.ts');
    const { steps, lacking } = await rooms.install(options(context));
    const isPlan = steps.some(({ state }) => state === 'planned');
    return toResult(
      context,
      { steps, lacking },
      isPlan ? '  next   the same without --dry-run' : whatNext(lacking),
    );
  },
};

export const uninstall: Verb = {
  name: 'uninstall',
  arguments: [],
  summary: 'takes away what install put here (root); data, backups and settings stay',
  options: { ...DRY_RUN, purge: { help: 'takes away data, backups, settings and users, too' } },
  async run(context) {
    const rooms = await import('../../install/uninstall.ts');
    const { steps, kept } = await rooms.uninstall({
      ...options(context),
      isPurge: context.args.flag('purge'),
    });
    const lines = kept.map(({ path, what }) => `  kept   ${path}: ${what}`);
    return toResult(context, { steps, kept }, lines.join('\n'));
  },
};

function options({ args, io }: Context) {
  const progress = (line: string) => io.stderr.write(`${line}\n`);
  return { isDry: args.flag('dry-run'), progress, signal: io.signal };
}

function toResult({ paint }: Context, details: Details, next: string): Result {
  const hasFailed = details.steps.some(({ state }) => state === 'failed');
  const text = [...summary(details.steps, paint), hasFailed ? AGAIN : next].filter(Boolean).join('\n');
  return { outcome: hasFailed ? 'failed' : 'ok', details, text };
}

interface Details {
  steps: StepResult[];
  lacking?: string | null;
  kept?: { path: string; what: string }[];
}

function whatNext(lacking: string | null): string {
  if (lacking === null) return '  next   deployer doctor';
  return `The deployer is not started: ${lacking}\n  next   edit /etc/deployer/settings, then this again`;
}

const AGAIN = '  next   mend that, then run the same command again: it goes on where it stopped';

/** What is or would be different; the rest as a number. */
function summary(steps: StepResult[], paint: Paint): string[] {
  const signs = {
    planned: paint.strong('+'),
    done: paint.good('✓'),
    failed: paint.bad('✗'),
    'not-done': ' ',
  };
  const lines = steps.flatMap(({ name, state, detail }) =>
    state === 'unchanged' ? [] : [`${signs[state]} ${name}${tell(state, detail)}`],
  );
  const unchanged = steps.filter(({ state }) => state === 'unchanged').length;
  return [
    ...lines,
    lines.length === 0 ? `nothing to do: ${unchanged} things are as they should be` : '',
  ].filter(Boolean);
}

function tell(state: StepResult['state'], detail: string | null): string {
  if (state === 'not-done') return '  (not done)';
  return detail === null || detail === 'missing' || detail === 'due' ? '' : `  (${detail})`;
}
