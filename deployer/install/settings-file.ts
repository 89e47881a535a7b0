import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { oneLine, SettingsError } from '../problem.ts';
import { readSettingsFile } from '../settings-file.ts';
import { parseSettings, SETTINGS, type Settings } from '../settings.ts';
import type { Host } from './host.ts';
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
export async function hostSettings(host: Host): Promise<Settings> {
  return parseSettings({
    ...readSettingsFile(LAYOUT.settings),
    ...(await encryptedSecrets(host)),
    DEPLOYER_HOME: LAYOUT.home,
    CREDENTIALS_DIRECTORY: LAYOUT.credentials,
  });
}

/** null: complete; else the one line that the deployer would stop with. */
export async function whatSettingsLack(host: Host): Promise<string | null> {
  try {
    await hostSettings(host);
    return null;
  } catch (error) {
    if (error instanceof SettingsError) return oneLine(error);
    throw error;
  }
}

/** Those that were encrypted for this machine by `systemd-creds encrypt`. */
async function encryptedSecrets(host: Host): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const { name } of SETTINGS.filter(({ secret }) => secret)) {
    const id = name.toLowerCase().replaceAll('_', '-');
    const file = join(LAYOUT.encrypted, `deployer.${id}`);
    const text = existsSync(file)
      ? await host.ask(['systemd-creds', 'decrypt', `--name=${id}`, file, '-'])
      : null;
    if (text !== null) secrets[name] = text;
  }
  return secrets;
}
