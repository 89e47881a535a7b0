import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { COMMAND } from '../command.ts';
import { LAYOUT } from '../install/layout.ts';
import { writeAtomically } from '../release/files.ts';
import {
  readSettingsFile,
  readText,
  settingsFileOf,
  updatedText,
  type KeptSettings,
} from '../settings-file.ts';
import { findHome } from './connection.ts';
import type { Io } from './io.ts';

/** A file that is named, else the host's settings and credentials where `install` was here, else a file in the home. */
export async function keptSettings({ env, cwd, signal }: Io, named: string | null): Promise<KeptSettings> {
  if (named !== null) return inFile(resolve(cwd, named));
  if (findHome(env['DEPLOYER_HOME'], cwd) !== LAYOUT.home)
    return inFile(settingsFileOf(resolve(cwd, env['DEPLOYER_HOME'] || '.deployer')));
  const { onHost } = await import('../install/host-settings.ts');
  return onHost(signal);
}

function inFile(file: string): KeptSettings {
  return {
    location: file,
    next: `${COMMAND} start`,
    read: async () => readSettingsFile(file),
    async write(values) {
      const before = readText(file);
      const after = updatedText(before ?? '', values, file);
      const isSame = before === after && (statSync(file).mode & 0o777) === 0o600;
      if (before !== after) {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        await writeAtomically(file, after, 0o600);
      } else if (!isSame) chmodSync(file, 0o600);
      giveToOwner(file);
      return isSame;
    },
  };
}

/** What root writes into the home of a host is the deployer's to read. */
function giveToOwner(file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(file));
  chownSync(file, uid, gid);
}
