import { parseEnvironment } from '../../../environments/parse.ts';
import type { Environment } from '../../../environments/schema.ts';
import { assertFree } from '../../host/ports.ts';
import { again } from '../../again.ts';
import { FailedError, oneLine, UnreachableError } from '../../problem.ts';
import type { Commit } from '../../release/types.ts';
import { DeploymentEnded } from '../ended.ts';
import { digestOf, type OwnSecrets } from '../own-secrets.ts';
import type { DeploymentRecord } from '../record.ts';
import { refusedBranch } from '../refusal.ts';
import { expectations } from '../expectations/verify.ts';
import { firstFailure } from '../reports/words.ts';
import type { Live, Work } from '../work.ts';
import { beginAhead } from './ahead.ts';

/** The commit in the mirror, the environment as that commit describes it, and the promotion gate. */
export async function fetchTarget(work: Work): Promise<void> {
  const { tools, record, live } = work;
  const commit = await find(work);
  const { tree } = record.request.pull ? await merged(work, record.request.pull, commit) : commit;
  const config = await readConfig(work, { commit: commit.commit, tree });
  const refused = refusedBranch(config, record);
  if (refused) throw new DeploymentEnded('refused', refused);
  work.target = { ...commit, tree };
  work.config = config;
  await tools.journal.note(record.id, { tree, config });
  const secrets = readSecrets(work);
  if (record.kind === 'rollback' || record.kind === 'restore') return;
  await needAddress(work);
  const isLive = live?.record.tree === tree && (record.kind === 'deploy' || record.request.pull);
  // Other secrets need another start.
  if (live && isLive && (record.request.pull || !(await hasOtherSecrets(work, secrets)))) {
    await meetExpectations(work, live);
    throw new AlreadyLive(record.kind, live.record.commit);
  }
  if (record.kind === 'deploy') await gate(work);
  beginAhead(work);
}

/** The tree is live: deployed at once, without a restart; and nothing is to be rehearsed for it. */
class AlreadyLive extends DeploymentEnded {
  constructor(kind: DeploymentRecord['kind'], commit: string) {
    super(kind === 'deploy' ? 'deployed' : 'ok', `the tree of ${commit.slice(0, 8)} is live already`);
  }
}

/** Nothing is started for it: what its commits expect, what is live has to show. */
async function meetExpectations(work: Work, live: Live): Promise<void> {
  const { tools, record } = work;
  const suite = await expectations(work, { environment: record.environment, slot: live.slot });
  if (!suite) return;
  await tools.journal.suites(record.id, [suite]);
  const failure = firstFailure([suite]);
  if (failure) throw new DeploymentEnded(record.kind === 'deploy' ? 'rejected' : 'failed', failure);
}

/** Since what is live was started, the host has other secrets for it: the same release has to be started again. */
async function hasOtherSecrets({ tools, record, live }: Work, secrets: OwnSecrets): Promise<boolean> {
  const instance = live && (await tools.instances.get(record.environment, live.slot));
  return instance !== null && instance.given !== digestOf(secrets);
}

/** No commit is to blame for what the host says wrongly. */
function readSecrets({ tools, record }: Work): OwnSecrets {
  try {
    return tools.secretsOf(record.environment);
  } catch (error) {
    if (error instanceof FailedError) throw new DeploymentEnded('refused', error.message);
    throw error;
  }
}

/** What the branch will be once the pull request is merged, from the heads of now. */
async function merged(
  { tools }: Work,
  { number, head, base }: NonNullable<DeploymentRecord['request']['pull']>,
  { commit }: Commit,
): Promise<{ tree: string }> {
  const ours = await tools.mirror.resolve({ branch: base });
  if (!ours) throw new FailedError(`the branch ${base} is not on the forge (any more)`);
  const result = await tools.mirror.mergeTree(ours.commit, commit);
  if ('tree' in result) return result;
  throw new FailedError(
    `#${number} conflicts with ${base} in ${result.conflicts.join(', ')}: merge ${base} into ${head} first`,
  );
}

/** The front door's address, before anything is built for it. */
async function needAddress({ tools, record, config, live }: Work): Promise<void> {
  const { listen } = config;
  if (live?.config.listen === listen) return;
  const file = `environments/${record.environment}.yaml: listen ${listen}`;
  const other = await tools.policy.addressOf(listen, record.environment);
  if (other) throw new FailedError(`${file} is that of ${other} too: choose another port`);
  // A first deployment's front door stands already.
  if (live) await assertFree(listen);
}

async function find({ tools, record, signal, log }: Work) {
  const known = await tools.mirror.resolve({ commit: record.commit });
  if (known) return known;
  await again(() => fetchAll(tools, signal), { signal, log });
  const fetched = await tools.mirror.resolve({ commit: record.commit });
  if (!fetched) throw new FailedError(`commit ${record.commit} is not on the forge (any more)`);
  return fetched;
}

async function fetchAll({ mirror, forge }: Work['tools'], signal: AbortSignal): Promise<void> {
  try {
    await mirror.fetch(signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new UnreachableError(`nothing can be fetched from ${forge.name}: ${oneLine(error)}`, {
      cause: error,
    });
  }
}

/** A rollback keeps the environment as it was then deployed; everything else reads it from the tree. */
async function readConfig(
  { tools, record }: Work,
  { commit, tree }: { commit: string; tree: string },
): Promise<Environment> {
  const file = `environments/${record.environment}.yaml`;
  const text = await tools.mirror.read(tree, file);
  if (text === null) throw new FailedError(`${file} is not in commit ${commit.slice(0, 8)}`);
  return parseEnvironment(text, file);
}

async function gate({ tools, record, config, target }: Work): Promise<void> {
  if (config.requires === undefined || record.request.override) return;
  const verdict = await tools.policy.gate(config.requires, target.tree);
  if (verdict.state === 'open') return;
  throw new DeploymentEnded(
    'refused',
    verdict.state === 'closed' ? verdict.reason : `${config.requires} is still verifying this tree`,
  );
}
