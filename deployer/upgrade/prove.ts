// The new deployer, judged by what runs: it shows on a copy of the state, given as its argument, that it can begin.
import { FailedError, oneLine } from '../problem.ts';
import { readRecords } from '../deployment/records.ts';
import { withSettingsFile } from '../settings-file.ts';
import { parseSettings, type Settings } from '../settings.ts';
import { openState, pendingMigrations } from '../state.ts';

const [copy = ''] = process.argv.slice(2);

try {
  const settings = parseSettings(withSettingsFile(process.env));
  // The whole daemon has to load, its dependencies too.
  await import('../daemon.ts');
  await (settings.databaseUrl === null ? tryState(copy) : refuseMigrations(settings));
} catch (error) {
  process.stderr.write(`${whereOf(error)}${oneLine(error)}\n`);
  process.exitCode = 1;
}

/** Node says in the stack alone which file it could not read as a program. */
function whereOf(error: unknown): string {
  const root = new URL('../../', import.meta.url).href;
  const [, place] =
    new RegExp(`^${RegExp.escape(root)}(\\S+:\\d+)$`, 'm').exec(String((error as Error).stack)) ?? [];
  return place === undefined ? '' : `${place}: `;
}

async function tryState(home: string): Promise<void> {
  const state = await openState({ home, databaseUrl: null });
  try {
    const records = readRecords(state);
    const environments: { name: string }[] = await state('environments').select('name');
    for (const { name } of environments) {
      const live = await records.liveOf(name);
      if (live) await records.details(live.id);
    }
    await records.inPhases(['waiting', 'running', 'switching', 'live', 'reverting']);
  } finally {
    await state.destroy();
  }
}

/** A server's database is not copied for this, so that nothing could bring it back. */
async function refuseMigrations(settings: Settings): Promise<void> {
  const pending = await pendingMigrations(settings);
  if (pending.length === 0) return;
  throw new FailedError(
    `it changes the state (${pending.join(', ')}), which is in PostgreSQL: back that up, then run deployer install from a clone of this commit`,
  );
}
