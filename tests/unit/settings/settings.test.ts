import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SettingsError } from '../../../deployer/problem.ts';
import { parseSettings, SETTINGS } from '../../../deployer/settings.ts';
import { scratch, thrown } from '../scratch.ts';

const KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
const GITHUB = { GITHUB_REPOSITORY: 'owner/name', GITHUB_TOKEN: 'token', GITHUB_WEBHOOK_SECRET: 'secret' };

function complaint(env: NodeJS.ProcessEnv): string {
  const { message } = thrown(SettingsError, () => parseSettings(env));
  expect(message).not.toContain('\n');
  return message;
}

describe('without any setting', () => {
  it('has the defaults of the local deployer', () => {
    expect(parseSettings({})).toEqual({
      home: resolve('.deployer'),
      listen: { host: '127.0.0.1', port: 9000 },
      frontDoor: 'embedded',
      url: 'http://127.0.0.1:9000',
      adminToken: null,
      reconcileIntervalMs: 60_000,
      services: 'process',
      databaseUrl: null,
      credentials: null,
      webhookSecret: null,
      webhookSecretPrevious: null,
      github: null,
    });
  });

  it('takes an empty variable as unset', () => {
    const empty = Object.fromEntries(SETTINGS.map(({ name }) => [name, '']));
    expect(parseSettings(empty)).toEqual(parseSettings({}));
  });
});

describe('every setting', () => {
  it('is taken from its variable', () => {
    expect(
      parseSettings({
        DEPLOYER_HOME: '/srv/deployer',
        DEPLOYER_LISTEN: '[::1]:9100',
        DEPLOYER_SERVICES: 'systemd',
        DEPLOYER_FRONT_DOOR: 'nginx',
        DEPLOYER_URL: 'https://deploy.example/base/',
        DEPLOYER_ADMIN_TOKEN: 'a'.repeat(16),
        DEPLOYER_RECONCILE_INTERVAL: '5',
        DEPLOYER_DATABASE_URL: 'postgresql://user:pw@db/deployer',
        ...GITHUB,
        GITHUB_SERVER_URL: 'https://git.example',
        GITHUB_API_URL: 'https://git.example/api/v3',
        GITHUB_APP_ID: '12345',
        GITHUB_APP_PRIVATE_KEY: KEY,
        GITHUB_WEBHOOK_SECRET_PREVIOUS: 'older',
      }),
    ).toEqual({
      home: '/srv/deployer',
      listen: { host: '::1', port: 9100 },
      frontDoor: 'nginx',
      url: 'https://deploy.example/base',
      adminToken: 'a'.repeat(16),
      reconcileIntervalMs: 5000,
      services: 'systemd',
      databaseUrl: 'postgresql://user:pw@db/deployer',
      credentials: null,
      webhookSecret: 'secret',
      webhookSecretPrevious: 'older',
      github: {
        repository: 'owner/name',
        serverUrl: 'https://git.example',
        apiUrl: 'https://git.example/api/v3',
        token: 'token',
        app: { id: '12345', privateKey: KEY },
      },
    });
  });

  it('has the forge of the public GitHub by default', () => {
    expect(parseSettings(GITHUB).github).toMatchObject({
      serverUrl: 'https://github.com',
      apiUrl: 'https://api.github.com',
      app: null,
    });
  });

  it.each([
    ['https://git.example', 'https://git.example/api/v3'],
    ['https://git.example/under/a/path/', 'https://git.example/under/a/path/api/v3'],
    ['https://octocorp.ghe.com', 'https://api.octocorp.ghe.com'],
    ['https://GitHub.com/', 'https://api.github.com'],
  ])('asks the API that belongs to the server %s, and no other', (server, api) => {
    const env = { ...GITHUB, GITHUB_SERVER_URL: server };
    expect(parseSettings(env).github?.apiUrl).toBe(api);
  });

  it('makes the public address from the listening one', () => {
    expect(parseSettings({ DEPLOYER_LISTEN: '127.0.0.1:9123' }).url).toBe('http://127.0.0.1:9123');
    expect(parseSettings({ DEPLOYER_LISTEN: '[::1]:9123' }).url).toBe('http://[::1]:9123');
  });

  it.each(['localhost', '127.0.0.1', '127.8.9.1', '[::1]'])(
    'accepts http: to %s, which is loopback',
    (host) => {
      const env = { ...GITHUB, GITHUB_API_URL: `http://${host}:8080/api` };
      expect(parseSettings(env).github?.apiUrl).toBe(`http://${host}:8080/api`);
    },
  );
});

describe('a malformed setting stops the start with one line that names it', () => {
  it.each([
    ['DEPLOYER_LISTEN', '9000', 'host:port'],
    ['DEPLOYER_LISTEN', ':9000', 'host:port'],
    ['DEPLOYER_SERVICES', 'docker', 'process or systemd'],
    ['DEPLOYER_LISTEN', '127.0.0.1:65536', 'host:port'],
    ['DEPLOYER_LISTEN', '127.0.0.1:90x', 'host:port'],
    ['DEPLOYER_LISTEN', '999.1.1.1:9000', 'address'],
    ['DEPLOYER_LISTEN', '::1:9000', 'host:port'],
    ['DEPLOYER_FRONT_DOOR', 'apache', 'expected embedded, caddy or nginx'],
    ['DEPLOYER_URL', 'deploy.example', 'http or https address'],
    ['DEPLOYER_URL', 'ftp://deploy.example', 'http or https address'],
    ['DEPLOYER_URL', 'https://deploy.example/?a=b', 'http or https address'],
    ['DEPLOYER_ADMIN_TOKEN', 'short', '16 to 512'],
    ['DEPLOYER_ADMIN_TOKEN', 'with a space in the middle', '16 to 512'],
    ['DEPLOYER_RECONCILE_INTERVAL', '0', 'whole seconds'],
    ['DEPLOYER_RECONCILE_INTERVAL', '1.5', 'whole seconds'],
    ['DEPLOYER_RECONCILE_INTERVAL', '60s', 'whole seconds'],
    ['DEPLOYER_RECONCILE_INTERVAL', '1000000', 'whole seconds'],
    ['DEPLOYER_DATABASE_URL', 'mysql://user:hunter2@db/x', 'postgres://'],
    ['DEPLOYER_DATABASE_URL', 'not an address hunter2', 'postgres://'],
    ['GITHUB_SERVER_URL', 'git.example', 'http or https address'],
    ['GITHUB_SERVER_URL', 'http://git.example', 'https:'],
    ['GITHUB_API_URL', 'http://127.0.0.1.example', 'https:'],
  ])('%s=%s', (name, value, expected) => {
    const message = complaint({ [name]: value });
    expect(message).toMatch(new RegExp(`^${name}: `));
    expect(message).toContain(expected);
  });

  it.each([
    ['GITHUB_REPOSITORY', 'just-a-name', 'owner/name'],
    ['GITHUB_REPOSITORY', 'owner/name/more', 'owner/name'],
    ['GITHUB_REPOSITORY', 'owner/..', 'owner/name'],
    ['GITHUB_REPOSITORY', '--upload-pack=x/name', 'owner/name'],
    ['GITHUB_TOKEN', 'two words', 'without spaces'],
    ['GITHUB_APP_ID', 'my app', 'client id'],
    ['GITHUB_APP_PRIVATE_KEY', 'hunter2', 'PEM'],
  ])('%s=%s, with GitHub as the forge', (name, value, expected) => {
    const app = { GITHUB_APP_ID: '1', GITHUB_APP_PRIVATE_KEY: KEY };
    const message = complaint({ ...GITHUB, ...app, [name]: value });
    expect(message).toMatch(new RegExp(`^${name}: `));
    expect(message).toContain(expected);
  });
});

describe('a missing setting stops the start with one line that names it', () => {
  it.each([
    ['GITHUB_WEBHOOK_SECRET', { GITHUB_WEBHOOK_SECRET: '' }],
    ['GITHUB_TOKEN', { GITHUB_TOKEN: '' }],
    ['GITHUB_APP_PRIVATE_KEY', { GITHUB_TOKEN: '', GITHUB_APP_ID: '1' }],
    ['GITHUB_APP_ID', { GITHUB_TOKEN: '', GITHUB_APP_PRIVATE_KEY: KEY }],
  ])('%s', (name, env) => {
    expect(complaint({ ...GITHUB, ...env })).toMatch(new RegExp(`^${name} is missing: `));
  });
});

describe('a secret', () => {
  it('is never echoed, also when it is malformed or stands in an address', () => {
    const secrets: NodeJS.ProcessEnv[] = [
      { DEPLOYER_ADMIN_TOKEN: 'hunter2' },
      { DEPLOYER_DATABASE_URL: 'mysql://user:hunter2@db/x' },
      { ...GITHUB, GITHUB_TOKEN: 'hunter2 hunter2' },
      { ...GITHUB, GITHUB_APP_ID: '1', GITHUB_APP_PRIVATE_KEY: 'hunter2' },
      { DEPLOYER_URL: 'https://user:hunter2@deploy.example' },
      { DEPLOYER_URL: 'https://:hunter2@deploy.example' },
      { DEPLOYER_URL: 'https://user:hunter2@' },
      { ...GITHUB, GITHUB_API_URL: 'http://:hunter2@git.example' },
    ];
    for (const env of secrets) expect(complaint(env)).not.toContain('hunter2');
  });

  it('comes from the credentials directory, which wins over the variable', () => {
    const directory = scratch();
    const files = {
      'deployer-admin-token': `${'f'.repeat(20)}\n`,
      'deployer-database-url': 'postgres://file@db/x\n',
      'github-token': 'from-file',
      'github-app-private-key': KEY,
      'github-webhook-secret': 'file-secret\n',
      'github-webhook-secret-previous': 'file-previous\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const settings = parseSettings({
      ...GITHUB,
      GITHUB_APP_ID: '7',
      DEPLOYER_ADMIN_TOKEN: 'v'.repeat(20),
      CREDENTIALS_DIRECTORY: directory,
    });
    expect(settings).toMatchObject({
      adminToken: 'f'.repeat(20),
      databaseUrl: 'postgres://file@db/x',
      webhookSecret: 'file-secret',
      webhookSecretPrevious: 'file-previous',
      github: { token: 'from-file', app: { id: '7', privateKey: KEY.trimEnd() } },
    });
  });

  it('may be one of a directory that systemd loads as a whole; the new one that is not encrypted yet wins', () => {
    const directory = scratch();
    writeFileSync(join(directory, 'encrypted_github-webhook-secret'), 'encrypted');
    writeFileSync(join(directory, 'plain_github-token'), 'new');
    writeFileSync(join(directory, 'encrypted_github-token'), 'old');
    expect(parseSettings({ ...GITHUB, CREDENTIALS_DIRECTORY: directory })).toMatchObject({
      webhookSecret: 'encrypted',
      github: { token: 'new' },
    });
  });

  it('comes from the variable when the credentials directory has no such file, or an empty one', () => {
    const directory = scratch();
    writeFileSync(join(directory, 'github-webhook-secret'), '\n');
    const settings = parseSettings({ ...GITHUB, CREDENTIALS_DIRECTORY: directory });
    expect(settings.webhookSecret).toBe('secret');
    expect(settings.github?.token).toBe('token');
  });

  it('whose file cannot be read stops the start', () => {
    const directory = scratch();
    mkdirSync(join(directory, 'github-webhook-secret'));
    expect(complaint({ ...GITHUB, CREDENTIALS_DIRECTORY: directory })).toMatch(
      /^GITHUB_WEBHOOK_SECRET: .*EISDIR/,
    );
  });

  it('alone may be a file: other settings are variables', () => {
    const directory = scratch();
    writeFileSync(join(directory, 'deployer-listen'), '127.0.0.1:1');
    expect(parseSettings({ CREDENTIALS_DIRECTORY: directory }).listen.port).toBe(9000);
  });
});

it('lists every setting once, with its meaning, and knows which are secret', () => {
  const names = SETTINGS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { meaning } of SETTINGS) expect(meaning).not.toBe('');
  expect(SETTINGS.filter(({ secret }) => secret).map(({ name }) => name)).toEqual([
    'DEPLOYER_ADMIN_TOKEN',
    'DEPLOYER_DATABASE_URL',
    'GITHUB_TOKEN',
    'GITHUB_APP_PRIVATE_KEY',
    'GITHUB_WEBHOOK_SECRET',
    'GITHUB_WEBHOOK_SECRET_PREVIOUS',
  ]);
});
