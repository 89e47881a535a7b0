import { parseEnvironment } from '../../environments/parse.ts';
import type { ReleaseContext } from '../deployment/programs.ts';
import type { Tools } from '../deployment/work.ts';
import type { EnvironmentRow } from '../reconcile/reconciler.ts';
import type { Commit } from '../release/types.ts';

const PATIENCE_MS = 15 * 60_000;

/** The release of a branch's head, built where it is not yet, as its own programs see themselves. */
export async function contextOfHead(
  tools: Tools,
  { name, branch }: EnvironmentRow,
  head: Commit,
): Promise<ReleaseContext> {
  const { commit, tree } = head;
  const file = `environments/${name}.yaml`;
  const config = parseEnvironment((await tools.mirror.read(commit, file)) ?? '', file);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const log = (line: string) => tools.logger.info({ environment: name }, line);
  const release = await tools.releases.build({ commit, tree, install: config.commands.install, log, signal });
  return { config, release, signal, log, deployment: { id: 'none', commit, branch }, background: true };
}
