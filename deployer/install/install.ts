import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMAND } from '../command.ts';
import { FailedError } from '../problem.ts';
import { readState } from '../state.ts';
import { gitText } from '../release/git.ts';
import { execute, foretell, type StepResult } from './execute.ts';
import { strangers } from './front-door.ts';
import { thisHost, type Host } from './host.ts';
import { LAYOUT } from './layout.ts';
import { InstallManifest } from './manifest.ts';
import { isToDo, makePlan, type Planned } from './plan.ts';
import { promise, type Source } from './promise.ts';
import { hostSettings, whatSettingsLack } from './settings-file.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

export interface Installed {
  steps: StepResult[];
  /** What keeps the deployer from being started; null: nothing. */
  lacking: string | null;
}

export interface InstallOptions {
  isDry: boolean;
  progress: (line: string) => void;
  signal: AbortSignal;
}

/** Makes this machine what `promise` says. @throws FailedError when it is not one that can be */
export async function install({ isDry, progress, signal }: InstallOptions): Promise<Installed> {
  needDebian();
  if (!isDry) needRoot('install');
  const host = thisHost((line) => progress(`  ${line}`), signal);
  const lacking = await whatSettingsLack(host);
  const manifest = await InstallManifest.open(LAYOUT.manifest);
  const plan = await makePlan(host, { ...(await wanted(host)), due: manifest.due });
  if (isDry) return { steps: foretell(plan), lacking };
  // Where it is noted what is made.
  if (plan.some(isToDo)) await host.run(['mkdir', '--parents', LAYOUT.settingsDirectory]);
  return { steps: await execute(plan, manifest, progress), lacking };
}

/** What of all that is promised is there; nothing is changed. */
export async function inspect(host: Host): Promise<Planned[]> {
  const plan = await makePlan(host, { ...(await wanted(host)), due: [] });
  return plan.filter((planned) => planned.reload === undefined);
}

async function wanted(host: Host) {
  const source = await findSource();
  return promise(host, {
    ...source,
    removed: await removedOf(host, strangers(source.project)),
    isLocal: await isLocal(host),
    isComplete: (await whatSettingsLack(host)) === null,
  });
}

/** Those of them that the deployer does not know any more; none when that cannot be known. */
async function removedOf(host: Host, served: readonly string[]): Promise<string[]> {
  if (served.length === 0) return [];
  const known = await environmentsOf(host).catch((): string[] => []);
  return known.length === 0 ? [] : served.filter((name) => !known.includes(name));
}

async function environmentsOf(host: Host): Promise<string[]> {
  const state = readState(await hostSettings(host));
  try {
    return (await state<{ name: string }>('environments').select('name')).map(({ name }) => name);
  } finally {
    await state.destroy();
  }
}

async function isLocal(host: Host): Promise<boolean> {
  try {
    return (await hostSettings(host)).github === null;
  } catch {
    // Incomplete settings are those of GitHub: without it nothing is required.
    return false;
  }
}

async function findSource(): Promise<Pick<Source, 'project' | 'clone'>> {
  if (!existsSync(join(PROJECT, '.git'))) return { project: PROJECT, clone: null };
  const repository = join(PROJECT, '.git');
  const tree = await gitText(['rev-parse', '--verify', '--end-of-options', 'HEAD^{tree}'], { repository });
  return { project: PROJECT, clone: { repository, tree } };
}

function needDebian(): void {
  if (existsSync('/etc/debian_version') && existsSync('/run/systemd/system')) return;
  throw new FailedError('install needs Debian with systemd: for any other machine there is npm start');
}

export function needRoot(verb: string): void {
  if (process.getuid?.() === 0) return;
  throw new FailedError(`${verb} needs root: sudo ${COMMAND} ${verb}`);
}
