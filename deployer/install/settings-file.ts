import { readFileSync } from 'node:fs';
import { oneLine, SettingsError } from '../problem.ts';
import { parseSettings, SETTINGS, type Settings } from '../settings.ts';
import { LAYOUT } from './layout.ts';

/** The settings file as install puts it there: everything at its default, and nothing secret. */
export function settingsTemplate(): string {
  const lines = SETTINGS.filter(({ name, secret }) => !secret && name !== 'DEPLOYER_HOME').map(
    ({ name, meaning, fallback }) => `# ${meaning}\n#${name}=${fallback ?? ''}\n`,
  );
  return [
    '# The settings of the deployer: systemd.exec(5), EnvironmentFile. After a change: systemctl restart deployer',
    `# Secrets are not here but files in ${LAYOUT.credentials}, named in lower case with dashes: github-token\n`,
    ...lines,
  ].join('\n');
}

/**
 * The settings that the deployer of this host would start with.
 * @throws SettingsError when something is missing or malformed
 */
export function hostSettings(): Settings {
  return parseSettings({
    ...parseEnvironmentFile(read(LAYOUT.settings)),
    DEPLOYER_HOME: LAYOUT.home,
    CREDENTIALS_DIRECTORY: LAYOUT.credentials,
  });
}

/** null: complete; else the one line that the deployer would stop with. */
export function whatSettingsLack(): string | null {
  try {
    hostSettings();
    return null;
  } catch (error) {
    if (error instanceof SettingsError) return oneLine(error);
    throw error;
  }
}

/** `NAME=value` lines as systemd reads them, of which a setting needs no more than this: quotes around, `#` in front. */
function parseEnvironmentFile(text: string): Record<string, string> {
  const entries = text.split('\n').flatMap((row) => {
    const [, name, value] = /^\s*([A-Z_]+)=(.*?)\s*$/.exec(row) ?? [];
    return name === undefined ? [] : [[name, (value ?? '').replace(/^(["'])(.*)\1$/, '$2')] as const];
  });
  return Object.fromEntries(entries);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
