import type { Kind } from './model.ts';
import { toRecord, type DeploymentRow, type Request } from './record.ts';

/**
 * Whether a request asks for what a deployment that is not finished does already, and so is that deployment: the same
 * commit, unless a gate is to be passed now; the same way back, asked for by two people at once.
 */
export function isSame(
  unfinished: DeploymentRow,
  { kind, commit, request }: { kind: Kind; commit: string; request: Request },
): boolean {
  if (unfinished.kind !== kind || unfinished.commit !== commit) return false;
  if (kind === 'deploy') return !request.override;
  return kind === 'rollback' && isSameWay(toRecord(unfinished).request, request);
}

function isSameWay(one: Request, other: Request): boolean {
  return (
    one.target === other.target &&
    one.undoes?.restore === other.undoes?.restore &&
    Boolean(one.restoreBackup) === Boolean(other.restoreBackup)
  );
}
