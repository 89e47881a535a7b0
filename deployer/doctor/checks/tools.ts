import { gitText } from '../../release/git.ts';
import { bad, good, type Examine } from '../check.ts';
import { isAtLeast } from '../versions.ts';

/** The first with safe.bareRepository, without which a repository in a tree could run programs. */
const LEAST_GIT = '2.38.0';
const LEAST_NODE = '24.0.0';

/** The programs that a deployment needs. */
export const tools: Examine = async ({ host, live }) => [
  await git(),
  node(),
  ...(await npm(host, live.length > 0)),
];

async function git() {
  const actual = /\d+(\.\d+)+/.exec(await gitText(['--version']))?.[0] ?? 'unknown';
  const expected = `${LEAST_GIT} or newer`;
  if (isAtLeast(actual, LEAST_GIT)) return good('git', actual, expected);
  return bad('git', { expected, actual, hint: 'apt-get install git, from a newer Debian' });
}

function node() {
  const actual = process.versions.node;
  const expected = `${LEAST_NODE} or newer`;
  if (isAtLeast(actual, LEAST_NODE)) return good('runtime (Node)', actual, expected);
  return bad('runtime (Node)', { expected, actual, hint: 'npm ci: the runtime comes with the packages' });
}

async function npm(host: Parameters<Examine>[0]['host'], isNeeded: boolean) {
  const actual = await host.ask(['npm', '--version']);
  if (actual !== null) return [good('npm', actual)];
  const hint = 'install Node 20 or newer with its npm: releases whose install command is npm ci need it';
  return isNeeded ? [bad('npm', { expected: 'installed', actual: 'missing', hint })] : [];
}
