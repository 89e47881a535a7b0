import { describe, expect, it } from 'vitest';
import type { Host } from '../../../deployer/install/host.ts';
import { started } from '../../../deployer/install/steps/service.ts';

/** A machine on which a unit is in this state, with a journal of runs and messages. */
function host(state: Record<string, string>, journal: [run: string, message: unknown][]): Host {
  const lines = journal.map(([run, message]) =>
    JSON.stringify({ MESSAGE: message, _SYSTEMD_INVOCATION_ID: run }),
  );
  const ask = async ([program, ...args]: readonly string[]) => {
    if (program === 'journalctl') return lines.join('\n');
    const property = args.find((arg) => arg.startsWith('--property='))?.slice('--property='.length);
    return state[property ?? ''] ?? '';
  };
  return { ask, run: async () => '' };
}

/** As journalctl gives what has colours in it. */
const COLOURED = [...Buffer.from('\u001B[31mcoloured\u001B[0m')];

describe('why a unit does not run', () => {
  const failed = { ActiveState: 'failed', SubState: 'failed', InvocationID: 'two' };
  const starting = { ActiveState: 'activating', SubState: 'start', InvocationID: 'two' };

  it.each([
    [
      'the last that it said',
      failed,
      [
        ['one', 'first'],
        ['two', 'last'],
      ],
      ': last',
    ],
    [
      'what the run before said, while it starts',
      starting,
      [
        ['one', 'last'],
        ['two', 'hello'],
      ],
      ': last',
    ],
    [
      'the last that is text',
      failed,
      [
        ['two', 'no such file'],
        ['two', COLOURED],
        ['two', ''],
      ],
      ': no such file',
    ],
    ['nothing, where it said nothing', failed, [], ''],
  ] satisfies [string, Record<string, string>, [string, unknown][], string][])(
    'is %s',
    async (_, state, journal, why) => {
      const step = started(host(state, journal), 'caddy.service');
      expect(await step.check()).toBe(`it is ${state.ActiveState}${why}`);
    },
  );
});
