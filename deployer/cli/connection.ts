import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMAND } from '../command.ts';
import { LAYOUT } from '../install/layout.ts';
import { codeOf, SettingsError } from '../problem.ts';
import { readSettingsFile, withSettingsFile } from '../settings-file.ts';
import { parseSettings } from '../settings.ts';
import type { Settings } from '../settings.ts';
import type { Io } from './io.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Only these concern a visitor of the daemon: what only the daemon needs may be missing here. */
const NEEDED = [
  'DEPLOYER_HOME',
  'DEPLOYER_LISTEN',
  'DEPLOYER_URL',
  'DEPLOYER_ADMIN_TOKEN',
  'CREDENTIALS_DIRECTORY',
];

const START = `${COMMAND} start`;

/** Where the daemon is, and as whom to speak to it. */
export interface Connection {
  url: string;
  token: string | null;
  /** Where a token was looked for. */
  tokenFile: string;
  /** `cli:alice`, for the record. */
  by: string;
  /** How it is started where it does not run. */
  start: string;
}

/** @throws SettingsError */
export function findDaemon({ env: given, cwd }: Pick<Io, 'env' | 'cwd'>): Connection {
  const home = findHome(given['DEPLOYER_HOME'], cwd);
  const kept = { ...ofHost(home), ...withSettingsFile({ DEPLOYER_HOME: home }, cwd) };
  const env = { ...kept, ...withSettingsFile({ ...given, DEPLOYER_HOME: home }, cwd) };
  const settings = parseSettings(Object.fromEntries(NEEDED.map((name) => [name, env[name]])));
  const tokenFile = join(home, 'admin-token');
  // On the daemon's own machine the way is short: not by its public address and a proxy.
  const isOurs = given['DEPLOYER_URL'] === kept['DEPLOYER_URL'];
  const isRemote = Boolean(given['DEPLOYER_URL']) && !isOurs && !env['DEPLOYER_LISTEN'];
  return {
    url: isRemote ? settings.url : localUrl(settings.listen),
    token: settings.adminToken ?? readToken(tokenFile),
    tokenFile,
    by: `cli:${userName(env)}`,
    start: isHosts(home) ? 'systemctl start deployer (journalctl -u deployer says why it ended)' : START,
  };
}

/** The settings of a host, for whoever may read them; what is wrong there is doctor's to say. */
function ofHost(home: string): Record<string, string> {
  try {
    return isHosts(home) ? readSettingsFile(LAYOUT.settings) : {};
  } catch {
    return {};
  }
}

/** The home that is named, else that of this directory, else the host's if `install` was here, else that of the project. */
export function findHome(named: string | undefined, cwd: string): string {
  if (named) return resolve(cwd, named);
  const here = resolve(cwd, '.deployer');
  if (existsSync(here)) return here;
  return existsSync(LAYOUT.settingsDirectory) ? LAYOUT.home : join(PROJECT, '.deployer');
}

/** `install` was here, and this is the home of the service. */
export function isHosts(home: string): boolean {
  return home === LAYOUT.home && existsSync(LAYOUT.settingsDirectory);
}

/** An address that means every interface is reached on loopback. */
function localUrl({ host, port }: Settings['listen']): string {
  const name = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function readToken(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim() || null;
  } catch (error) {
    const code = codeOf(error);
    // Reading needs no token here; a change says that it has none.
    if (code === 'ENOENT' || code === 'EACCES') return null;
    throw new SettingsError(`DEPLOYER_HOME: the admin token cannot be read (${code}): ${file}`);
  }
}

function userName(env: NodeJS.ProcessEnv): string {
  const name = env['SUDO_USER'] || systemUser() || env['USER'] || 'unknown';
  return name.replaceAll(/[^\w.@-]/g, '-').slice(0, 50);
}

/** A user without an entry in the system's table has no name. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
