import { UsageError } from '../../problem.ts';
import type { Args, OptionSpec } from '../verb.ts';

export const REASON: OptionSpec = { value: 'R', help: 'why, for the record' };

export const OVERRIDE: Record<string, OptionSpec> = {
  override: { help: 'passes gates and quarantine; needs --reason' },
  reason: REASON,
};

/** @throws UsageError for an override without a reason */
export function readOverride(args: Args): { override?: true; reason?: string } {
  const reason = args.text('reason');
  if (args.flag('override') && reason === undefined) {
    throw new UsageError('--override needs --reason R: it is recorded and reported');
  }
  return {
    ...(args.flag('override') && { override: true as const }),
    ...(reason !== undefined && { reason }),
  };
}

/** At most one of these may be given. */
export function atMostOne(args: Args, ...options: string[]): void {
  const given = options.filter((option) => args.flag(option) || args.text(option) !== undefined);
  if (given.length > 1)
    throw new UsageError(`only one of ${given.map((option) => `--${option}`).join(' and ')}`);
}

/** The path of an environment in the API; its name cannot leave it. */
export function environmentPath(args: Args): string {
  return `/api/environments/${encodeURIComponent(args.argument('ENV'))}`;
}

export function deploymentPath(args: Args): string {
  return `/api/deployments/${encodeURIComponent(args.argument('DEPLOYMENT'))}`;
}
