/** Where everything is on a host. ARCHITECTURE.md says why. */
export const LAYOUT = {
  home: '/var/lib/deployer',
  log: '/var/log/datatracker',
  settingsDirectory: '/etc/deployer',
  settings: '/etc/deployer/settings',
  credentials: '/etc/deployer/credentials',
  encrypted: '/etc/deployer/credentials.encrypted',
  code: '/opt/deployer',
  releases: '/opt/deployer/releases',
  current: '/opt/deployer/current',
  upgrades: '/opt/deployer/upgrades',
  manifest: '/etc/deployer/installed.json',
  program: '/usr/local/bin/deployer',
  units: '/etc/systemd/system',
  polkit: '/etc/polkit-1/rules.d',
  logrotate: '/etc/logrotate.d/deployer',
  caddyfile: '/etc/caddy/Caddyfile',
  sites: '/etc/caddy/deployer',
  caddyDropIns: '/etc/systemd/system/caddy.service.d',
  service: 'deployer.service',
  liveAtBoot: 'datatracker-live.service',
  /** What the deployer starts. */
  started: ['datatracker@*.service', 'deployer-install@*.service', 'deployer-run@*.service'],
  /** Where systemd makes what each instance has of its own while it runs. */
  runtime: '/run/datatracker',
} as const;
