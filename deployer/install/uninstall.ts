import type { Host } from './host.ts';
import { thisHost } from './host.ts';
import { execute, foretell, type StepResult } from './execute.ts';
import { needRoot, type InstallOptions } from './install.ts';
import { LAYOUT } from './layout.ts';
import { InstallManifest } from './manifest.ts';
import { isToDo, makePlan } from './plan.ts';
import type { Made, Reload, Step } from './step.ts';
import { withoutDirectory } from './steps/directory.ts';
import { withoutFile } from './steps/file.ts';
import { withoutLine } from './steps/line.ts';
import { withoutInstances, withoutService } from './steps/service.ts';
import { withoutUser } from './steps/user.ts';

export interface Uninstalled {
  steps: StepResult[];
  /** What stays, and why. */
  kept: { path: string; what: string }[];
}

/** Takes away what install has put here; data, backups and settings only with `isPurge`. */
export async function uninstall(options: InstallOptions & { isPurge: boolean }): Promise<Uninstalled> {
  const { isDry, isPurge, progress, signal } = options;
  if (!isDry) needRoot('uninstall');
  const host = thisHost((line) => progress(`  ${line}`), signal);
  const manifest = await InstallManifest.open(LAYOUT.manifest);
  const { goes, kept } = divide(manifest.made, isPurge);
  const files = goes.flatMap((made) => remove(host, made, isPurge));
  const plan = await makePlan(host, { files: [...instances(host, goes), ...files], services: [], due: [] });
  if (isDry) return { steps: foretell(plan), kept };
  const steps = await execute(plan.filter(isToDo), manifest, progress);
  if (steps.every(({ state }) => state === 'done')) await manifest.forget((made) => goes.includes(made));
  return { steps, kept };
}

/** The newest first: what was made last may need what was made before. A user stays as long as something is its. */
function divide(made: readonly Made[], isPurge: boolean): { goes: Made[]; kept: Uninstalled['kept'] } {
  const keeps = (each: Made) => !isPurge && 'keeps' in each && each.keeps !== null;
  const kept = made.flatMap((each) =>
    keeps(each) && 'keeps' in each ? [{ path: each.path, what: each.keeps ?? '' }] : [],
  );
  const stays = (each: Made) => keeps(each) || (each.kind === 'user' && kept.length > 0);
  const users = kept.length > 0 ? made.flatMap((each) => (each.kind === 'user' ? [each] : [])) : [];
  return {
    goes: made.filter((each) => !stays(each)).toReversed(),
    kept: [
      ...kept.filter(({ path }) => !isInside(path, kept)),
      ...users.map(({ name }) => ({ path: `user ${name}`, what: 'the owner of what is kept' })),
    ],
  };
}

function isInside(path: string, kept: Uninstalled['kept']): boolean {
  return kept.some((other) => path.startsWith(`${other.path}/`));
}

function instances(host: Host, goes: readonly Made[]): Step[] {
  const hasUnit = goes.some((made) => made.kind === 'service' && made.unit === LAYOUT.service);
  if (!hasUnit) return [];
  return [
    withoutService(host, LAYOUT.service),
    ...LAYOUT.started.map((pattern) => withoutInstances(host, pattern)),
    withoutDirectory(LAYOUT.runtime, true),
  ];
}

function remove(host: Host, made: Made, isPurge: boolean): Step[] {
  switch (made.kind) {
    case 'user':
      return [withoutUser(host, made.name)];
    case 'directory':
      return made.path === LAYOUT.code ? [] : [withoutDirectory(made.path, isPurge && made.keeps !== null)];
    case 'file':
      return [withoutFile(made.path, reloadOf(made.path))];
    case 'line':
      return [withoutLine(made.path, made.line, 'caddy')];
    case 'code':
      return [withoutDirectory(made.path, true)];
    case 'service':
      return made.unit === LAYOUT.service ? [] : [withoutService(host, made.unit)];
    default:
      return made satisfies never;
  }
}

function reloadOf(path: string): Reload | undefined {
  if (path.startsWith(LAYOUT.sites)) return 'caddy';
  if (path.startsWith(LAYOUT.caddyDropIns)) return 'caddy-restart';
  return path.startsWith(LAYOUT.units) ? 'systemd' : undefined;
}
