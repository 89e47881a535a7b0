import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { frontDoor } from './front-door.ts';
import type { Host } from './host.ts';
import { LAYOUT } from './layout.ts';
import { encryptedSecrets } from './secrets.ts';
import { settingsTemplate } from './settings-file.ts';
import { code, currentCode } from './steps/code.ts';
import { directory } from './steps/directory.ts';
import { file } from './steps/file.ts';
import { packages } from './steps/packages.ts';
import { localRepository } from './steps/repository.ts';
import { atBoot, started } from './steps/service.ts';
import { user } from './steps/user.ts';
import type { Step } from './step.ts';

const UPGRADES = { path: LAYOUT.upgrades, owner: 'deployer-code', group: 'deployer-code', mode: 0o755 };

/** What a bare Debian lacks. */
const PACKAGES = ['caddy', 'dbus', 'git', 'libatomic1', 'logrotate', 'polkitd', 'sqlite3', 'zstd'];

/** Where install runs. */
export interface Source {
  /** The checkout with the templates. */
  project: string;
  /** Its repository and tree; null: this is the installed code itself. */
  clone: { repository: string; tree: string } | null;
  /** The forge is the local repository. */
  isLocal: boolean;
  /** Whether the deployer may be started. */
  isComplete: boolean;
  /** Environments that are served, and were removed. */
  removed: readonly string[];
}

/** Everything that a host has when install is done, in the order in which it is made. */
export function promise(host: Host, source: Source): { files: Step[]; services: Step[] } {
  const { project, clone, isLocal, isComplete, removed } = source;
  return {
    files: [
      packages(host, PACKAGES),
      ...users(host),
      ...directories(host),
      ...(clone ? [code(host, clone), currentCode(clone.tree)] : []),
      { ...directory(host, UPGRADES), made: { kind: 'code', path: LAYOUT.upgrades } },
      file(host, { path: LAYOUT.program, content: PROGRAM, mode: 0o755 }),
      ...templates(host, join(project, 'environments', 'systemd')),
      ...frontDoor(host, project, removed),
      file(host, { path: LAYOUT.logrotate, content: LOGROTATE }),
      settings(host),
      encryptedSecrets(host),
      ...(isLocal && clone ? [localRepository(host, project)] : []),
    ],
    services: [
      atBoot(host, LAYOUT.liveAtBoot),
      atBoot(host, 'caddy.service'),
      started(host, 'caddy.service'),
      ...(isComplete ? [atBoot(host, LAYOUT.service), started(host, LAYOUT.service)] : []),
    ],
  };
}

function users(host: Host): Step[] {
  const { home } = LAYOUT;
  const shell = '/usr/sbin/nologin';
  return [
    user(host, { name: 'datatracker', home: '/nonexistent', shell, groups: [] }),
    // Owns what main brings as the deployer's code, and may do nothing else.
    user(host, { name: 'deployer-code', home: '/nonexistent', shell, groups: [] }),
    // By SSH one may push to its repository, and nothing else.
    user(host, {
      name: 'deployer',
      home,
      shell: '/usr/bin/git-shell',
      groups: ['datatracker', 'systemd-journal'],
    }),
  ];
}

function directories(host: Host): Step[] {
  const root = { owner: 'root', group: 'root' };
  const deployer = { owner: 'deployer', group: 'deployer' };
  return [
    directory(host, { path: LAYOUT.code, ...root, mode: 0o755 }),
    // Caddy passes through, and every instance, to what is opened to them inside.
    directory(host, {
      path: LAYOUT.home,
      ...deployer,
      group: 'datatracker',
      mode: 0o750,
      keeps: 'data and backups',
    }),
    directory(host, {
      path: LAYOUT.log,
      ...deployer,
      group: 'datatracker',
      mode: 0o755,
      keeps: 'the log of deployments',
    }),
    directory(host, {
      path: LAYOUT.settingsDirectory,
      ...root,
      group: 'deployer',
      mode: 0o750,
      keeps: 'settings and secrets',
    }),
    directory(host, { path: LAYOUT.credentials, ...root, mode: 0o700, keeps: 'secrets' }),
    directory(host, { path: LAYOUT.encrypted, ...root, mode: 0o700, keeps: 'secrets' }),
  ];
}

function settings(host: Host): Step {
  return file(host, {
    path: LAYOUT.settings,
    content: settingsTemplate(),
    owner: 'root',
    group: 'deployer',
    mode: 0o640,
    isTheirs: 'settings',
  });
}

/** The command line and the daemon: the deployer's code, what main brought before what was installed, by its own runtime. */
const PROGRAM = `#!/bin/sh
: "\${DEPLOYER_HOME:=${LAYOUT.home}}"
export DEPLOYER_HOME
code=${LAYOUT.current}
main=deployer/cli/launch.mjs
# Root, and what judges an upgrade, run only what root installed.
if [ "\${1-}" = upgrade ]; then
  shift
  main=deployer/upgrade/main.ts
elif [ "$(id -u)" != 0 ] && [ -e ${LAYOUT.upgrades}/current ]; then
  code=${LAYOUT.upgrades}/current
fi
# Debian 13's npm 9.2 makes no link to it.
for node in "$code"/node_modules/.bin/node "$code"/node_modules/node-linux-*/bin/node node; do
  [ ! -x "$node" ] || break
done
exec "$node" "$code/$main" "$@"
`;

const LOGROTATE = `${LAYOUT.log}/*.log {
	monthly
	rotate 24
	compress
	missingok
	notifempty
	su deployer deployer
}
`;

/** Units for systemd and rules for polkit, as they are. */
function templates(host: Host, folder: string): Step[] {
  return globSync('*.{service,rules}', { cwd: folder })
    .toSorted()
    .map((name) => {
      const content = readFileSync(join(folder, name), 'utf8');
      if (name.endsWith('.rules')) return file(host, { path: join(LAYOUT.polkit, `50-${name}`), content });
      return file(host, { path: join(LAYOUT.units, name), content, reloads: 'systemd' });
    });
}
