/** Where everything is on a host. ARCHITECTURE.md says why. */
export const LAYOUT = {
  home: '/var/lib/deployer',
  log: '/var/log/datatracker',
  settingsDirectory: '/etc/deployer',
  settings: '/etc/deployer/settings',
  credentials: '/etc/deployer/credentials',
  code: '/opt/deployer',
  releases: '/opt/deployer/releases',
  current: '/opt/deployer/current',
  manifest: '/etc/deployer/installed.json',
  program: '/usr/local/bin/deployer',
  units: '/etc/systemd/system',
  polkit: '/etc/polkit-1/rules.d',
  logrotate: '/etc/logrotate.d/deployer',
  service: 'deployer.service',
  liveAtBoot: 'datatracker-live.service',
  instances: 'datatracker@*.service',
} as const;
