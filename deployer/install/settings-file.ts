import { oneLine, SettingsError } from '../problem.ts';
import { readSettingsFile } from '../settings-file.ts';
import { credentialOf, parseSettings, readCredential, SETTINGS, type Settings } from '../settings.ts';
import type { Host } from './host.ts';
import { LAYOUT } from './layout.ts';
import { readEncrypted } from './secrets.ts';

/** The settings file as install puts it there: everything at its default, and nothing secret. */
export function settingsTemplate(): string {
  const lines = SETTINGS.filter(({ name, secret }) => !secret && name !== 'DEPLOYER_HOME').map(
    ({ name, meaning, fallback }) => `# ${meaning}\n#${name}=${fallback ?? ''}\n`,
  );
  return [
    '# The settings of the deployer: systemd.exec(5), EnvironmentFile. After a change: systemctl restart deployer',
    `# Secrets are not here but files in ${LAYOUT.credentials}, named in lower case with dashes: github-token.`,
    `# deployer install encrypts them.\n`,
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
    ...(await secretsOfHost(host)),
    DEPLOYER_HOME: LAYOUT.home,
  });
}

/** Its secrets as the service gets them, by the setting's name. @throws SettingsError for one that cannot be read */
export async function secretsOfHost(host: Host): Promise<Record<string, string>> {
  const encrypted = await readEncrypted(host);
  const secrets = SETTINGS.filter(({ secret }) => secret).map(({ name }) => {
    const plain = readCredential(LAYOUT.credentials, name);
    return [name, plain ?? encrypted.get(credentialOf(name)) ?? ''] as const;
  });
  return Object.fromEntries(secrets.filter(([, text]) => text !== ''));
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
