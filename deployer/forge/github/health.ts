import type { Trouble } from '../types.ts';
import type { Failure } from './failure.ts';

/** What was not seen again for so long is no trouble any more. */
const FORGOTTEN_MS = 3_600_000;

type Noted = Trouble & { lastSeen: number };

/**
 * What keeps GitHub from being used, from the answers of all requests: told while it lasts, gone with the first answer
 * that shows it mended. A missing permission concerns one operation, everything else all of them.
 */
export function createHealth(options: { clock: () => Date; mendAccess: string }) {
  const { clock, mendAccess } = options;
  const troubles = new Map<string, Noted>();

  function note(key: string, what: string, mend: string): void {
    const now = clock();
    const since = troubles.get(key)?.since ?? now.toISOString();
    troubles.set(key, { since, what, mend, lastSeen: now.getTime() });
  }

  return {
    told: note,
    over: (key: string) => void troubles.delete(key),
    /** `operation`: method and route, as GitHub's documentation names it. */
    failed(operation: string, failure: Failure): void {
      if (failure.kind === 'unauthorized') note('access', failure.message, mendAccess);
      else if (failure.kind === 'limited')
        note('limit', failure.message, 'nothing: reports are sent when GitHub permits it');
      else if (failure.kind === 'unreachable')
        note(
          'reach',
          failure.message,
          'nothing, if it passes: https://www.githubstatus.com; else GITHUB_API_URL and the network',
        );
      else if (failure.kind === 'forbidden')
        note(
          operation,
          `${operation}: ${failure.message}`,
          `give it the permission ${whole(failure.accepted) ?? permissionFor(operation)}`,
        );
    },
    /** git was answered, or `failure` is what it said. */
    gitUsed(failure: string | null): void {
      if (failure === null) troubles.delete('git');
      else if (/error: 403/.test(failure)) note('git', failure, 'give it the permission contents=write');
      else if (isRefusal(failure)) note('git', failure, mendAccess);
      else if (isUnreached(failure))
        note('git', failure, 'nothing, if it passes; else GITHUB_SERVER_URL and the network');
    },
    answered(operation: string): void {
      for (const key of ['access', 'limit', 'reach', operation]) troubles.delete(key);
    },
    trouble(): Trouble | null {
      const oldest = clock().getTime() - FORGOTTEN_MS;
      for (const [key, { lastSeen }] of troubles) if (lastSeen < oldest) troubles.delete(key);
      const [first] = [...troubles.values()].toSorted((a, b) => a.since.localeCompare(b.since));
      return first ? { since: first.since, what: first.what, mend: first.mend } : null;
    },
  };
}

/** What git says of 401, 403 and 404. */
export const isRefusal = (said: string) =>
  /Authentication failed|could not read (Username|Password)|returned error: 403|repository '.*' not found/i.test(
    said,
  );

/** A push that a rule rejects, or a mirror that is damaged, is no trouble with GitHub. */
const isUnreached = (said: string) =>
  /unable to access|could not resolve|hung up|early EOF|RPC failed|returned error: 5\d\d|took too long/i.test(
    said,
  );

export type Health = ReturnType<typeof createHealth>;

/** We look before we write: who asks only for what reading needs would be refused next. */
const whole = (accepted: string | null) =>
  accepted?.replaceAll(/\b(contents|statuses|deployments|pull_requests|issues)=read\b/g, '$1=write');

/** The permission of a fine-grained token or an App for an operation, where GitHub's answer does not name it. */
function permissionFor(operation: string): string {
  const known: [RegExp, string][] = [
    [/\/statuses/, 'commit statuses'],
    [/\/deployments/, 'deployments'],
    [/\/pulls/, 'pull requests'],
    [/\/issues/, 'pull requests and issues'],
    [/\/hooks/, 'webhooks'],
  ];
  const name = known.find(([route]) => route.test(operation))?.[1] ?? 'contents';
  return `${name}=${operation.startsWith('GET') ? 'read' : 'write'}`;
}
