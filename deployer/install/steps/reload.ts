import type { Host } from '../host.ts';
import type { Reload, Step } from '../step.ts';

const HOW: Record<Reload, { title: string; argv: readonly string[] }> = {
  systemd: { title: 'tell systemd of the changed units', argv: ['systemctl', 'daemon-reload'] },
  'caddy-restart': {
    title: 'restart Caddy: what it runs with has changed',
    argv: ['systemctl', 'try-restart', 'caddy.service'],
  },
  caddy: {
    title: 'tell Caddy of its changed configuration',
    argv: ['systemctl', 'try-reload-or-restart', 'caddy.service'],
  },
  deployer: {
    title: 'restart the deployer if it runs; what is live goes on',
    argv: ['systemctl', 'try-restart', 'deployer.service'],
  },
};

/** Only in a plan that has a reason for it. */
export function reload(host: Host, which: Reload): Step {
  const { title, argv } = HOW[which];
  return { title, made: null, check: async () => 'due', apply: async () => void (await host.run(argv)) };
}
