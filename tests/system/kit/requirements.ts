import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that the tests on a real systemd need, and Debian's package of each. */
const PROGRAMS = {
  'systemd-nspawn': 'systemd-container',
  nsenter: 'util-linux',
  git: 'git',
  caddy: 'caddy',
  nginx: 'nginx',
  pkaction: 'polkitd',
  logrotate: 'logrotate',
  sqlite3: 'sqlite3',
  zstd: 'zstd',
} as const;

/** What keeps the system tests from running here, as one line that says what to do; null: nothing. */
export function whatIsMissing(): string | null {
  if (!existsSync('/etc/debian_version')) return 'the system tests need Debian';
  if (process.getuid?.() !== 0) return 'the system tests need root: they mount, and boot a container';
  const directories = (process.env['PATH'] ?? '').split(delimiter).concat('/usr/sbin', '/sbin');
  const packages = Object.entries(PROGRAMS).flatMap(([program, name]) =>
    directories.some((directory) => existsSync(join(directory, program))) ? [] : [name],
  );
  if (packages.length > 0) return `the system tests need: apt-get install -y ${packages.join(' ')}`;
  return null;
}
