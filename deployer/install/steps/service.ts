import { z } from 'zod';
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

/**
 * The last that the program itself has said, not what systemd says of it: why it does not run. One that is just
 * being started again has not come to it yet: the run before has.
 */
async function lastWords(host: Host, unit: string): Promise<string | null> {
  const starting = (await state(host, 'SubState', unit)).startsWith('start');
  const run = await state(host, 'InvocationID', unit);
  const lines = await journal(host, unit);
  const begun = starting ? lines.findIndex(({ _SYSTEMD_INVOCATION_ID: id }) => id === run) : -1;
  const said = (begun > 0 ? lines.slice(0, begun) : lines).findLast(({ MESSAGE }) => MESSAGE !== '')?.MESSAGE;
  if (!said) return null;
  return /address already in use/i.test(said)
    ? `${oneLine(said)} (ss -ltnp shows by which program)`
    : oneLine(said);
}

/** The fields of systemd.journal-fields(7); a message that is not text is given as bytes, and passed over. */
const JOURNAL_LINE = z.object({
  MESSAGE: z.string().catch(''),
  _SYSTEMD_INVOCATION_ID: z.string().optional(),
});

async function journal(host: Host, unit: string): Promise<z.infer<typeof JOURNAL_LINE>[]> {
  const latest = ['journalctl', '--quiet', '--no-pager', '-o', 'json', '-n', '100', `_SYSTEMD_UNIT=${unit}`];
  const lines = ((await host.ask(latest)) ?? '').split('\n').filter((line) => line !== '');
  return lines.map((line) => JOURNAL_LINE.parse(JSON.parse(line)));
}

async function state(host: Host, property: string, unit: string): Promise<string> {
  return (await host.ask(['systemctl', 'show', '--value', `--property=${property}`, unit])) ?? 'unknown';
}
