import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readOwnSecrets, whatIsWrong } from '../deployment/own-secrets.ts';
import { codeOf, FailedError, SettingsError } from '../problem.ts';
import { syncDirectory } from '../release/files.ts';
import type { Host } from './host.ts';
import { LAYOUT } from './layout.ts';
import type { Step } from './step.ts';

/** What systemd puts in front of a name when it loads the directory (`LoadCredentialEncrypted=` in deployer.service). */
const PREFIX = 'encrypted_';
/** Made by systemd-creds for the first secret of a machine. */
const HOST_KEY = '/var/lib/systemd/credential.secret';

/**
 * What lies in `credentials/` in plain text goes to `credentials.encrypted/`, where the machine can: only there, by its TPM or
 * by systemd's key, can it be read again. A new secret of the same name takes the place of the old one.
 */
export function encryptedSecrets(host: Host): Step {
  return {
    title: `secrets of ${LAYOUT.credentials}, encrypted for this machine`,
    made: null,
    reloads: 'deployer',
    async check() {
      const names = await namesIn(LAYOUT.credentials);
      const wrong = problemOf(names);
      if (wrong !== null) return wrong;
      if (names.length === 0 || !(await canEncrypt(host))) return null;
      return `in plain text: ${names.join(', ')}`;
    },
    async apply() {
      const names = await namesIn(LAYOUT.credentials);
      const wrong = problemOf(names);
      if (wrong !== null) throw new FailedError(wrong);
      await host.ask(['systemd-creds', 'setup']);
      if (!(await canEncrypt(host))) return;
      for (const name of names) await encrypt(host, name);
    },
  };
}

/** Of an environment's own secrets, while their maintainer can still read them. */
const problemOf = (names: readonly string[]): string | null =>
  whatIsWrong(() => {
    for (const name of names) if (name.endsWith('.env')) readOwnSecrets(join(LAYOUT.credentials, name), name);
  });

/**
 * The secrets that are encrypted, by name.
 * @throws SettingsError for one that this machine cannot read
 */
export async function readEncrypted(host: Host): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await namesIn(LAYOUT.encrypted)) {
    const file = join(LAYOUT.encrypted, name);
    const text = await host.ask(['systemd-creds', 'decrypt', `--name=${PREFIX}${name}`, file, '-']);
    if (text === null)
      throw new SettingsError(
        `${name} was encrypted by another machine: write it anew to ${join(LAYOUT.credentials, name)}, then deployer install`,
      );
    found.set(name, text);
  }
  return found;
}

/** Without a key yet, it is assumed: to find out would make one. */
async function canEncrypt(host: Host): Promise<boolean> {
  const argv = existsSync(HOST_KEY) ? encryption('test', '/dev/null', '-') : ['systemd-creds', '--version'];
  return (await host.ask(argv)) !== null;
}

async function encrypt(host: Host, name: string): Promise<void> {
  const plain = join(LAYOUT.credentials, name);
  // Not in the directory: of that, systemd loads whatever is there.
  const made = `${LAYOUT.encrypted}.new`;
  await rm(made, { force: true });
  await host.run(encryption(name, plain, made));
  await chmod(made, 0o600);
  await mkdir(LAYOUT.encrypted, { recursive: true, mode: 0o700 });
  await rename(made, join(LAYOUT.encrypted, name));
  await syncDirectory(LAYOUT.encrypted);
  await rm(plain);
}

/** Bound to the TPM that there may be, and not to its registers: an update of the firmware must not lose a secret. */
function encryption(name: string, from: string, to: string): string[] {
  return ['systemd-creds', 'encrypt', `--name=${PREFIX}${name}`, '--tpm2-pcrs=', from, to];
}

/** None for whoever may not look. */
async function namesIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).toSorted();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES') return [];
    throw error;
  }
}
