import { FailedError, oneLine } from '../../problem.ts';
import type { Host } from '../host.ts';
import type { Step } from '../step.ts';

/** A unit that is started at boot. One that was before is not ours to take away. */
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

/** A unit that runs. */
export function started(host: Host, unit: string): Step {
  return {
    title: `service ${unit}, started`,
    made: null,
    mend: `deployer install; journalctl -u ${unit} says why it does not start`,
    async check() {
      const active = await state(host, 'ActiveState', unit);
      if (active === 'active') return null;
      // One that was stopped has nothing to say.
      const why = active === 'inactive' ? null : await lastWords(host, unit);
      return `it is ${active}${why ? `: ${why}` : ''}`;
    },
    async apply() {
      await host.ask(['systemctl', 'reset-failed', unit]);
      try {
        await host.run(['systemctl', 'start', '--quiet', unit]);
      } catch (error) {
        const why = (await lastWords(host, unit)) ?? oneLine(error);
        throw new FailedError(`${unit} does not start: ${why}; see journalctl -u ${unit}`, {
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

/** The last that the program itself has said, not what systemd says of it: why it does not run. */
async function lastWords(host: Host, unit: string): Promise<string | null> {
  const said = ['journalctl', '--quiet', '--no-pager', '-o', 'cat', '-n', '1', `_SYSTEMD_UNIT=${unit}`];
  const line = await host.ask(said);
  if (!line) return null;
  return /address already in use/i.test(line)
    ? `${oneLine(line)} (ss -ltnp shows by which program)`
    : oneLine(line);
}

async function state(host: Host, property: string, unit: string): Promise<string> {
  return (await host.ask(['systemctl', 'show', '--value', `--property=${property}`, unit])) ?? 'unknown';
}
