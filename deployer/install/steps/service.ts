import { FailedError, oneLine } from '../../problem.ts';
import type { Host } from '../host.ts';
import type { Step } from '../step.ts';

/** A unit that is started at boot, and has nothing to do now. */
export function atBoot(host: Host, unit: string): Step {
  return {
    title: `service ${unit}, enabled`,
    made: { kind: 'service', unit },
    async check() {
      const enabled = await state(host, 'UnitFileState', unit);
      return enabled === 'enabled' ? null : `it is ${enabled || 'unknown'}`;
    },
    apply: async () => void (await host.run(['systemctl', 'enable', '--quiet', unit])),
  };
}

/** A unit that is started at boot, and now. */
export function service(host: Host, unit: string): Step {
  return {
    title: `service ${unit}, enabled and started`,
    made: { kind: 'service', unit },
    async check() {
      const enabled = await state(host, 'UnitFileState', unit);
      if (enabled !== 'enabled') return `it is ${enabled || 'unknown'}`;
      const active = await state(host, 'ActiveState', unit);
      return active === 'active' ? null : `it is ${active}`;
    },
    async apply() {
      await host.ask(['systemctl', 'reset-failed', unit]);
      try {
        await host.run(['systemctl', 'enable', '--now', '--quiet', unit]);
      } catch (error) {
        const log = await host.ask([
          'journalctl',
          '--quiet',
          '--no-pager',
          '-o',
          'cat',
          '-n',
          '1',
          '-u',
          unit,
        ]);
        throw new FailedError(`${unit} does not start: ${log || oneLine(error)}; see journalctl -u ${unit}`, {
          cause: error,
        });
      }
    },
  };
}

export function withoutService(host: Host, unit: string): Step {
  return {
    title: `stop and disable ${unit}`,
    made: null,
    async check() {
      const isGone = (await state(host, 'LoadState', unit)) === 'not-found';
      const active = await state(host, 'ActiveState', unit);
      const enabled = await state(host, 'UnitFileState', unit);
      return (isGone || enabled !== 'enabled') && /^(inactive|failed)$/.test(active)
        ? null
        : `it is ${active}`;
    },
    async apply() {
      await host.run(['systemctl', 'disable', '--now', '--quiet', unit]);
    },
  };
}

/** Every unit of the template that is there, as the live instances are. */
export function withoutInstances(host: Host, pattern: string): Step {
  const list = [
    'systemctl',
    'list-units',
    '--plain',
    '--no-legend',
    '--all',
    '--state=active,activating',
    pattern,
  ];
  return {
    title: `stop ${pattern}`,
    made: null,
    check: async () => ((await host.ask(list)) ? 'running' : null),
    apply: async () => void (await host.run(['systemctl', 'stop', pattern])),
  };
}

async function state(host: Host, property: string, unit: string): Promise<string> {
  return (await host.ask(['systemctl', 'show', '--value', `--property=${property}`, unit])) ?? 'unknown';
}
