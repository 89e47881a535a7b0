import type { DeploymentSummary } from '../deployment/model.ts';

/** How the dashboard and the command line write times and names alike. */

/** `340 ms`, `1.2 s`, `2 min 5 s`, `3 h 10 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `just now`, `5 min ago`, `3 h ago`, `12 d ago`. */
export function ago(time: string, now = Date.now()): string {
  const minutes = Math.floor((now - Date.parse(time)) / 60_000);
  if (!(minutes >= 1)) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}

export function shortCommit(commit: string): string {
  return commit.slice(0, 8);
}

/** What a deployment is: `deploy of 1f2e3d4c to dev`, `rollback of prod to 1f2e3d4c`. */
export function subject({ kind, commit, environment }: DeploymentSummary): string {
  const short = shortCommit(commit);
  switch (kind) {
    case 'deploy':
      return `deploy of ${short} to ${environment}`;
    case 'rehearsal':
      return `rehearsal of ${short} for ${environment}`;
    default:
      return `${kind} of ${environment} to ${short}`;
  }
}
