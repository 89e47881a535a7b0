import { FailedError } from '../../problem.ts';
import type { Host } from '../host.ts';
import type { Step } from '../step.ts';

export interface User {
  name: string;
  home: string;
  shell: string;
  /** Beside the one of its own name. */
  groups: readonly string[];
}

/** A system user with a group of its own name. */
export function user(host: Host, { name, home, shell, groups }: User): Step {
  return {
    title: `user ${name}${groups.length > 0 ? `, also in ${groups.join(' and ')}` : ''}`,
    made: { kind: 'user', name },
    async check() {
      const entry = await host.ask(['getent', 'passwd', name]);
      if (entry === null) return 'missing';
      const [, , , , , actualHome, actualShell] = entry.split(':');
      if (actualHome !== home) return `its home is ${actualHome}`;
      if (actualShell !== shell) return `its shell is ${actualShell}`;
      const actual = (await host.ask(['id', '-nG', name]))?.split(' ') ?? [];
      const absent = groups.filter((group) => !actual.includes(group));
      return absent.length === 0 ? null : `not in ${absent.join(' and ')}`;
    },
    async apply() {
      const how = ['--home', home, '--shell', shell];
      const isThere = (await host.ask(['getent', 'passwd', name])) !== null;
      if (isThere) await host.run(['usermod', ...how, name]);
      else await host.run(['useradd', '--system', '--user-group', '--no-create-home', ...how, name]);
      for (const group of groups) await host.run(['usermod', '--append', '--groups', group, name]);
    },
  };
}

export function withoutUser(host: Host, name: string): Step {
  return {
    title: `remove user ${name}`,
    made: null,
    check: async () => ((await host.ask(['getent', 'passwd', name])) === null ? null : 'there'),
    async apply() {
      await host.run(['userdel', name]);
      // The group goes with its user, unless somebody else has come into it.
      if (await host.ask(['getent', 'group', name])) {
        await host.run(['groupdel', name]).catch((error: unknown) => {
          throw new FailedError(`the group ${name} is used by others: look at getent group ${name}`, {
            cause: error,
          });
        });
      }
    },
  };
}
