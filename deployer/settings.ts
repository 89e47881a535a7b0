import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf, SettingsError } from './problem.ts';

/** One setting: an environment variable; a secret may instead be a file in `$CREDENTIALS_DIRECTORY`, which wins. */
interface Setting {
  name: string;
  meaning: string;
  fallback: string | null;
  secret: boolean;
}

const setting = (name: string, meaning: string, fallback: string | null = null): Setting => ({
  name,
  meaning,
  fallback,
  secret: false,
});
const secret = (name: string, meaning: string): Setting => ({ name, meaning, fallback: null, secret: true });

/** Every setting, with its meaning and default; the README's table is tested against it. */
export const SETTINGS: readonly Setting[] = [
  setting('DEPLOYER_HOME', 'all state', '.deployer'),
  setting('DEPLOYER_LISTEN', 'address of webhooks, API and dashboard', '127.0.0.1:9000'),
  setting(
    'DEPLOYER_SERVICES',
    'what runs releases: process, or systemd on a host that install set up',
    'process',
  ),
  setting('DEPLOYER_FRONT_DOOR', 'embedded, or the web server of a host: caddy, nginx', 'embedded'),
  setting('DEPLOYER_URL', 'public address of the deployer, used in links'),
  secret('DEPLOYER_ADMIN_TOKEN', 'bearer token for everything that changes something'),
  setting('DEPLOYER_RECONCILE_INTERVAL', 'whole seconds between looks at the branches', '60'),
  secret('DEPLOYER_DATABASE_URL', 'postgres://… for a shared state store'),
  setting('GITHUB_REPOSITORY', 'owner/name; set: GitHub is the forge'),
  setting('GITHUB_SERVER_URL', 'GitHub, or an Enterprise Server', 'https://github.com'),
  setting('GITHUB_API_URL', 'its API', 'https://api.github.com'),
  secret('GITHUB_TOKEN', 'a fine-grained token'),
  setting('GITHUB_APP_ID', 'a GitHub App instead of a token'),
  secret('GITHUB_APP_PRIVATE_KEY', 'the key of the App'),
  secret('GITHUB_WEBHOOK_SECRET', 'what deliveries are signed with'),
  secret('GITHUB_WEBHOOK_SECRET_PREVIOUS', 'accepted too while the secret is rotated'),
];

interface Address {
  host: string;
  port: number;
}

export interface Settings {
  /** Absolute path. */
  home: string;
  listen: Address;
  /** What runs instances and commands. */
  services: 'process' | 'systemd';
  /** Who visitors meet: a process of the deployer's own, or this machine's web server. */
  frontDoor: 'embedded' | 'caddy' | 'nginx';
  /** Without a trailing slash. */
  url: string;
  adminToken: string | null;
  reconcileIntervalMs: number;
  databaseUrl: string | null;
  /** systemd's directory of credentials; null: there is none. */
  credentials: string | null;
  webhookSecret: string | null;
  webhookSecretPrevious: string | null;
  github: GitHubSettings | null;
}

export interface GitHubSettings {
  repository: string;
  serverUrl: string;
  apiUrl: string;
  token: string | null;
  app: { id: string; privateKey: string } | null;
}

/**
 * Reads the settings once, at the edge.
 * @throws SettingsError with one line that names the setting and what was expected; never its value when it is a secret
 */
export function parseSettings(env: NodeJS.ProcessEnv): Settings {
  const get = (name: string) => readSetting(env, name);
  const listen = parseAddress('DEPLOYER_LISTEN', get('DEPLOYER_LISTEN') ?? '');
  const github = parseGitHub(get);
  const webhookSecret = get('GITHUB_WEBHOOK_SECRET');
  if (github && !webhookSecret) {
    throw new SettingsError(
      'GITHUB_WEBHOOK_SECRET is missing: it is required with GITHUB_REPOSITORY; set it to the secret of the webhook',
    );
  }
  return {
    home: resolve(get('DEPLOYER_HOME') ?? ''),
    listen,
    services: parseServices(get('DEPLOYER_SERVICES')),
    frontDoor: parseFrontDoor(get('DEPLOYER_FRONT_DOOR')),
    url: parsePublicUrl(get),
    adminToken: parseToken('DEPLOYER_ADMIN_TOKEN', get('DEPLOYER_ADMIN_TOKEN')),
    reconcileIntervalMs:
      parseSeconds('DEPLOYER_RECONCILE_INTERVAL', get('DEPLOYER_RECONCILE_INTERVAL') ?? '') * 1000,
    databaseUrl: parseDatabaseUrl(get('DEPLOYER_DATABASE_URL')),
    credentials: env['CREDENTIALS_DIRECTORY'] || null,
    webhookSecret,
    webhookSecretPrevious: get('GITHUB_WEBHOOK_SECRET_PREVIOUS'),
    github,
  };
}

/** Their values that nobody may read. */
export function secretsIn({
  adminToken,
  databaseUrl,
  webhookSecret,
  webhookSecretPrevious,
  github,
}: Settings): string[] {
  const password = databaseUrl === null ? null : new URL(databaseUrl).password;
  return [
    adminToken,
    databaseUrl,
    password,
    webhookSecret,
    webhookSecretPrevious,
    github?.token,
    github?.app?.privateKey,
  ].filter((value) => typeof value === 'string');
}

function readSetting(env: NodeJS.ProcessEnv, name: string): string | null {
  const known = SETTINGS.find((candidate) => candidate.name === name);
  const credentials = env['CREDENTIALS_DIRECTORY'];
  const fromFile = known?.secret && credentials ? readCredential(credentials, name) : null;
  // An empty variable counts as unset, as in shells and unit files.
  return fromFile ?? (env[name] || known?.fallback || null);
}

/** The file of a secret: the setting's name in lower case, with dashes. */
export const credentialOf = (name: string) => name.toLowerCase().replaceAll('_', '-');

/** systemd puts the name of a directory that it loads as a whole in front; what is not encrypted yet is the newest. */
const LOADED_AS = ['plain_', 'encrypted_', ''] as const;

/** Where a credential may lie; the first that is there counts. */
export const credentialFiles = (directory: string, id: string) =>
  LOADED_AS.map((prefix) => join(directory, `${prefix}${id}`));

/** null when no file holds it. @throws SettingsError when that cannot be read */
export function readCredential(directory: string, name: string): string | null {
  const files = credentialFiles(directory, credentialOf(name));
  return files.reduce<string | null>((found, file) => found ?? readSecret(file, name), null);
}

function readSecret(file: string, name: string): string | null {
  try {
    return readFileSync(file, 'utf8').trimEnd() || null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new SettingsError(`${name}: its credential file cannot be read (${codeOf(error)}): ${file}`);
  }
}

/** `host:port`, the host of an IPv6 address in brackets. */
function parseAddress(name: string, text: string): Address {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match?.[1] || port > 65_535) {
    throw new SettingsError(`${name}: expected host:port, such as 127.0.0.1:9000, got "${text}"`);
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

function parseServices(text: string | null): Settings['services'] {
  if (text === 'process' || text === 'systemd') return text;
  throw new SettingsError(`DEPLOYER_SERVICES: expected process or systemd, got "${text}"`);
}

function parseFrontDoor(text: string | null): Settings['frontDoor'] {
  if (text === 'embedded' || text === 'caddy' || text === 'nginx') return text;
  throw new SettingsError(`DEPLOYER_FRONT_DOOR: expected embedded, caddy or nginx, got "${text}"`);
}

function parsePublicUrl(get: (name: string) => string | null): string {
  const url = get('DEPLOYER_URL');
  return url === null
    ? parseUrl('DEPLOYER_LISTEN', `http://${get('DEPLOYER_LISTEN')}`)
    : parseUrl('DEPLOYER_URL', url);
}

/** Links are made by appending a path. What could be a password is not repeated. */
function parseUrl(name: string, text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || /[@?#]/.test(text)) {
    throw new SettingsError(
      `${name}: expected an http or https address without credentials, query or fragment, got "${text.includes('@') ? '(hidden)' : text}"`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

function parseSeconds(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new SettingsError(`${name}: expected whole seconds, 1 to 999999, got "${text}"`);
  return Number(text);
}

function parseToken(name: string, token: string | null): string | null {
  if (token !== null && !/^[\x21-\x7e]{16,512}$/.test(token)) {
    throw new SettingsError(`${name}: expected 16 to 512 printable characters without spaces`);
  }
  return token;
}

function parseDatabaseUrl(url: string | null): string | null {
  if (url !== null && !/^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new SettingsError('DEPLOYER_DATABASE_URL: expected postgres://user:password@host/database');
  }
  return url;
}

function parseGitHub(get: (name: string) => string | null): GitHubSettings | null {
  const serverUrl = parseSecureUrl('GITHUB_SERVER_URL', get('GITHUB_SERVER_URL') ?? '');
  const apiUrl = apiOf(serverUrl, parseSecureUrl('GITHUB_API_URL', get('GITHUB_API_URL') ?? ''));
  const repository = get('GITHUB_REPOSITORY');
  if (repository === null) return null;
  if (!/^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/.test(repository)) {
    throw new SettingsError(`GITHUB_REPOSITORY: expected owner/name, got "${repository}"`);
  }
  const token = parseGitHubToken(get('GITHUB_TOKEN'));
  const app = parseApp(get('GITHUB_APP_ID'), get('GITHUB_APP_PRIVATE_KEY'));
  if (!token && !app) {
    throw new SettingsError('GITHUB_TOKEN is missing: set it, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY');
  }
  return { repository, serverUrl, apiUrl, token, app };
}

/**
 * The token of an Enterprise Server is not for github.com: where only the server is named, its own API is asked, which
 * an Enterprise Cloud with data residency has at a host of its own.
 */
function apiOf(serverUrl: string, apiUrl: string): string {
  const isMixed = serverUrl !== 'https://github.com' && apiUrl === 'https://api.github.com';
  if (!isMixed) return apiUrl;
  const resident = /^https:\/\/([a-z0-9-]+\.ghe\.com)$/.exec(serverUrl)?.[1];
  return resident === undefined ? `${serverUrl}/api/v3` : `https://api.${resident}`;
}

function parseGitHubToken(token: string | null): string | null {
  if (token !== null && !/^[\x21-\x7e]{1,1024}$/.test(token)) {
    throw new SettingsError('GITHUB_TOKEN: expected printable characters without spaces');
  }
  return token;
}

function parseApp(id: string | null, privateKey: string | null): GitHubSettings['app'] {
  if (id === null && privateKey === null) return null;
  if (id === null)
    throw new SettingsError('GITHUB_APP_ID is missing: it is required with GITHUB_APP_PRIVATE_KEY');
  if (privateKey === null)
    throw new SettingsError('GITHUB_APP_PRIVATE_KEY is missing: it is required with GITHUB_APP_ID');
  if (!/^[A-Za-z0-9.]{1,64}$/.test(id))
    throw new SettingsError(`GITHUB_APP_ID: expected the App's number or client id, got "${id}"`);
  try {
    // Only an App needs it, and it takes longer to load than all of the settings.
    process.getBuiltinModule('node:crypto').createPrivateKey(privateKey);
  } catch {
    throw new SettingsError('GITHUB_APP_PRIVATE_KEY: expected a private key in PEM form');
  }
  return { id, privateKey };
}

/** Tokens travel to these addresses, so plain http is for loopback only. */
function parseSecureUrl(name: string, text: string): string {
  const url = parseUrl(name, text);
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) {
    throw new SettingsError(`${name}: http: is accepted for loopback only; expected https:, got "${text}"`);
  }
  return url;
}
