import { join } from 'node:path';
import { writeAtomically } from '../release/files.ts';
import { readSettingsFile, readText, updatedText, type KeptSettings } from '../settings-file.ts';
import { credentialOf, SETTINGS } from '../settings.ts';
import { thisHost } from './host.ts';
import { needRoot } from './install.ts';
import { LAYOUT } from './layout.ts';
import { encryptedSecrets } from './secrets.ts';
import { secretsOfHost } from './settings-file.ts';
import { setOwnership } from './steps/ownership.ts';

const SECRET = new Set(SETTINGS.flatMap(({ name, secret }) => (secret ? [name] : [])));

/** The settings of a host, and its secrets as credentials. @throws FailedError for whoever is not root */
export function onHost(signal: AbortSignal): KeptSettings {
  needRoot('init');
  const host = thisHost(() => undefined, signal);
  return {
    location: LAYOUT.settings,
    next: 'deployer install, then systemctl restart deployer',
    read: async () => ({ ...readSettingsFile(LAYOUT.settings), ...(await secretsOfHost(host)) }),
    async write(values) {
      const kept = await secretsOfHost(host);
      const all = Object.entries(values);
      const secrets = all.filter(([name, value]) => SECRET.has(name) && kept[name] !== value.trimEnd());
      for (const [name, value] of secrets)
        await writeAtomically(join(LAYOUT.credentials, credentialOf(name)), value, 0o600);
      if (secrets.length > 0) await encryptNow();
      const before = readText(LAYOUT.settings) ?? '';
      const open = Object.fromEntries(all.filter(([name]) => !SECRET.has(name)));
      const after = updatedText(before, open, LAYOUT.settings);
      if (before === after) return secrets.length === 0;
      await writeAtomically(LAYOUT.settings, after, 0o640);
      await setOwnership(host, LAYOUT.settings, { owner: 'root', group: 'deployer', mode: 0o640 });
      return false;
    },
  };

  async function encryptNow(): Promise<void> {
    const step = encryptedSecrets(host);
    if ((await step.check()) !== null) await step.apply();
  }
}
