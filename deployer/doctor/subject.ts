import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { thisHost } from '../install/host.ts';
import { LAYOUT } from '../install/layout.ts';
import { hostSettings } from '../install/settings-file.ts';
import { oneLine, SettingsError } from '../problem.ts';
import { withSettingsFile } from '../settings-file.ts';
import { parseSettings, type Settings } from '../settings.ts';
import { readRecords } from '../deployment/records.ts';
import { readState } from '../state.ts';
import type { Subject } from './check.ts';

/** Looks at this machine without changing anything. `home`: where the command line looks for the daemon. */
export async function findSubject(request: {
  env: NodeJS.ProcessEnv;
  home: string;
  signal: AbortSignal;
}): Promise<Subject> {
  const { env, home, signal } = request;
  const isHost = home === LAYOUT.home && existsSync(LAYOUT.settingsDirectory);
  const host = thisHost(() => undefined, signal);
  const read = await readSettings(async () =>
    isHost ? hostSettings(host) : parseSettings(withSettingsFile({ ...env, DEPLOYER_HOME: home })),
  );
  const state = await findLive(home, read.settings?.databaseUrl ?? null);
  return { home, isHost, ...read, ...state, host, now: new Date() };
}

async function readSettings(
  parse: () => Promise<Settings>,
): Promise<Pick<Subject, 'settings' | 'settingsProblem'>> {
  try {
    return { settings: await parse(), settingsProblem: null };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { settings: null, settingsProblem: oneLine(error) };
  }
}

async function findLive(
  home: string,
  databaseUrl: string | null,
): Promise<Pick<Subject, 'live' | 'idle' | 'stateProblem'>> {
  if (databaseUrl === null && !existsSync(join(home, 'state.sqlite')))
    return { live: [], idle: [], stateProblem: null };
  const state = readState({ home, databaseUrl });
  try {
    const names = (await state<{ name: string }>('environments').orderBy('name')).map(({ name }) => name);
    const records = await Promise.all(names.map((name) => readRecords(state).liveOf(name)));
    return {
      live: records.filter((record) => record !== null),
      idle: names.filter((_, index) => records[index] === null),
      stateProblem: await unsound(databaseUrl, state),
    };
  } catch (error) {
    // Knex puts the question in front of the answer.
    return { live: [], idle: [], stateProblem: oneLine(error).replace(/^.* - /, '') };
  } finally {
    await state.destroy();
  }
}

/** All but whether indexes match, which takes three times as long. PostgreSQL looks after its own. */
async function unsound(
  databaseUrl: string | null,
  state: ReturnType<typeof readState>,
): Promise<string | null> {
  if (databaseUrl !== null) return null;
  const [row] = (await state.raw('PRAGMA quick_check(1)')) as { quick_check: string }[];
  return row?.quick_check === 'ok' ? null : (row?.quick_check ?? 'no answer');
}
