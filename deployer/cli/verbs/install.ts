import { hasFailed, installText, uninstallText } from '../text/install.ts';
import type { Context, OptionSpec, Verb } from '../verb.ts';

const DRY_RUN: Record<string, OptionSpec> = { 'dry-run': { help: 'prints the plan, and does nothing' } };

export const install: Verb = {
  name: 'install',
  arguments: [],
  summary: 'sets up this machine as a systemd host (root)',
  options: DRY_RUN,
  async run(context) {
    const rooms = await import('../../install/install.ts');
    const how = options(context);
    const details = await rooms.install(how);
    return {
      outcome: hasFailed(details.steps) ? 'failed' : 'ok',
      details,
      text: installText(details, how.isDry, context.paint),
    };
  },
};

export const uninstall: Verb = {
  name: 'uninstall',
  arguments: [],
  summary: 'takes away what install put here (root); data, backups and settings stay',
  options: { ...DRY_RUN, purge: { help: 'takes away data, backups, settings and users, too' } },
  async run(context) {
    const rooms = await import('../../install/uninstall.ts');
    const details = await rooms.uninstall({ ...options(context), isPurge: context.args.flag('purge') });
    return {
      outcome: hasFailed(details.steps) ? 'failed' : 'ok',
      details,
      text: uninstallText(details, context.paint),
    };
  },
};

function options({ args, io }: Context) {
  const progress = (line: string) => io.stderr.write(`${line}\n`);
  return { isDry: args.flag('dry-run'), progress, signal: io.signal };
}
