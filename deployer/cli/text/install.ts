import { join } from 'node:path';
import { COMMAND } from '../../command.ts';
import type { StepResult } from '../../install/execute.ts';
import type { Installed } from '../../install/install.ts';
import { LAYOUT } from '../../install/layout.ts';
import type { Uninstalled } from '../../install/uninstall.ts';
import { credentialOf, SETTINGS } from '../../settings.ts';
import type { Paint } from './paint.ts';

/** What install has done or, where it `isDry`, would do. */
export function installText({ steps, lacking }: Installed, isDry: boolean, paint: Paint): string {
  const changes = changesOf(steps, paint);
  if (hasFailed(steps)) return lines(...changes, AGAIN);
  const onward = steps.some(({ state }) => state === 'planned') ? 'the same without --dry-run' : null;
  if (lacking === null) {
    return lines(...changesOr(nothingToDo(steps), changes), says('next', onward ?? 'deployer doctor'));
  }
  const isLeft = `the deployer ${isDry ? 'would not be started' : 'was not started'}: a setting is missing or wrong`;
  return lines(
    ...changes,
    // What still keeps the deployer from being started is not nothing.
    changes.length > 0 ? isLeft : `${unchanged(steps)} things are as they should be, but ${isLeft}`,
    says('why', lacking),
    says('where', whereTo(lacking)),
    says('next', onward ?? `${COMMAND} install`),
  );
}

/** What uninstall has taken away, or would, and what stays. */
export function uninstallText({ steps, kept }: Uninstalled, paint: Paint): string {
  const changes = changesOf(steps, paint);
  if (hasFailed(steps)) return lines(...changes, AGAIN);
  const stays = kept.map(({ path, what }) => says('kept', `${path}: ${what}`));
  return lines(...changesOr(nothingToDo(steps), changes), ...stays);
}

export const hasFailed = (steps: readonly StepResult[]) => steps.some(({ state }) => state === 'failed');

const lines = (...all: string[]) => all.join('\n');
const says = (what: string, text: string) => `  ${what.padEnd(5)}  ${text}`;
const changesOr = (none: string, changes: string[]) => (changes.length > 0 ? changes : [none]);
const unchanged = (steps: readonly StepResult[]) => steps.filter(({ state }) => state === 'unchanged').length;
const nothingToDo = (steps: readonly StepResult[]) =>
  `nothing to do: ${unchanged(steps)} things are as they should be`;

const AGAIN = says('next', 'mend that, then run the same command again: it goes on where it stopped');

/** The file that the line names, else that of the setting that it begins with: a secret has one of its own. */
function whereTo(lacking: string): string {
  const named = new RegExp(`${LAYOUT.settingsDirectory}/[^\\s:,]+`).exec(lacking)?.[0];
  const setting = SETTINGS.find(({ name }) => name === /^\w+/.exec(lacking)?.[0]);
  return named ?? (setting?.secret ? join(LAYOUT.credentials, credentialOf(setting.name)) : LAYOUT.settings);
}

/** What is or would be different, a line each. */
function changesOf(steps: readonly StepResult[], paint: Paint): string[] {
  const signs = {
    planned: paint.strong('+'),
    done: paint.good('✓'),
    failed: paint.bad('✗'),
    'not-done': ' ',
  };
  return steps.flatMap(({ name, state, detail }) =>
    state === 'unchanged' ? [] : [`${signs[state]} ${name}${tell(state, detail)}`],
  );
}

function tell(state: StepResult['state'], detail: string | null): string {
  if (state === 'not-done') return '  (not done)';
  return detail === null || detail === 'missing' || detail === 'due' ? '' : `  (${detail})`;
}
