import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError } from '../../problem.ts';
import { isProgram } from '../program.ts';
import type { InstanceHandle, InstanceManager, InstanceSpec, UnitHandle } from '../types.ts';
import { liveUnits } from './live-units.ts';
import { journalOf } from './journal.ts';
import { readOnlyAs } from './environment-file.ts';
import { replaceFile } from './replace-file.ts';
import { clearRoom, furnish, roomOf } from './room.ts';
import { invocationOf, over, systemctl } from './systemctl.ts';

/** Where systemd makes the directory of an instance's socket, and removes it with the instance (`RuntimeDirectory=`). */
const RUNTIME = '/run/datatracker';
/** An instance that nobody knows of any more gets so many milliseconds to end. */
const GRACE = 1000;

const nameOf = ({ environment, slot }: { environment: string; slot: string }) => `${environment}-${slot}`;
const unitOf = (name: string) => `datatracker@${name}.service`;
const instanceOf = (unit: string) => unit.slice('datatracker@'.length, -'.service'.length);

/**
 * Instances as units of a template that is root's (`environments/systemd/datatracker@.service`): another user, confined to
 * its own data, started again by systemd when it crashes. `others` knows what an earlier daemon ran as plain processes.
 */
export function systemdInstances({
  home,
  others,
}: {
  home: string;
  others: InstanceManager;
}): InstanceManager {
  const live = liveUnits(join(home, 'units', 'live'));
  const fileOf = (unit: string, file: string) => join(roomOf(home, instanceOf(unit)), file);
  /** Whether no later start has taken the unit. */
  const isLast = (handle: UnitHandle) => textOf(fileOf(handle.unit, 'start')) === handle.start;

  async function start(spec: InstanceSpec): Promise<UnitHandle> {
    const [program = ''] = spec.argv;
    if (!isProgram(program, spec.cwd, spec.env['PATH']))
      throw new FailedError(
        `cannot start ${JSON.stringify(program)} in ${spec.cwd}: no such program on its PATH`,
      );
    const name = nameOf(spec);
    const unit = unitOf(name);
    const listen = join(RUNTIME, name, 'http.sock');
    await end(unit, GRACE);
    const env: Record<string, string> = { ...spec.env, LISTEN: listen };
    await furnish(home, name, { ...spec, env, reads: spec.reads ?? [], writes: spec.writes ?? [] });
    const id = randomUUID();
    replaceFile(fileOf(unit, 'start'), id);
    rmSync(spec.socket, { force: true });
    symlinkSync(listen, spec.socket);
    if (env['DEPLOYMENT_MODE'] === 'false') live.put(spec.environment, unit);
    await systemctl('start', unit);
    return { unit, start: id, invocation: invocationOf(unit) ?? 'ended' };
  }

  async function stop(handle: UnitHandle, graceMs: number): Promise<void> {
    if (!isLast(handle)) return;
    await end(handle.unit, graceMs);
    clearRoom(home, instanceOf(handle.unit));
  }

  /** Also one that waits to be started again. */
  async function end(unit: string, graceMs: number): Promise<void> {
    live.drop(unit);
    const stopped = systemctl('stop', unit);
    await Promise.race([stopped, sleep(graceMs)]);
    if (invocationOf(unit) !== null)
      await systemctl('kill', unit, ['--signal=SIGKILL']).catch(() => undefined);
    await stopped;
  }

  const alive = ({ unit, invocation }: UnitHandle) => invocationOf(unit) === invocation;

  return {
    start,
    alive: (handle) => (isUnit(handle) ? alive(handle) : others.alive(handle)),
    stop: (handle, graceMs) => (isUnit(handle) ? stop(handle, graceMs) : others.stop(handle, graceMs)),
    exited: (handle, signal) =>
      isUnit(handle) ? over(handle.unit, handle.invocation, signal) : others.exited(handle, signal),
    async endUnnoted(where) {
      const unit = unitOf(nameOf(where));
      if (textOf(fileOf(unit, 'start')) === null) return others.endUnnoted(where);
      await end(unit, 0);
      clearRoom(home, nameOf(where));
    },
    said: (_, handle) => (isUnit(handle) ? journalOf(handle.unit) : Promise.resolve('')),
    present(handle) {
      if (!isUnit(handle)) return others.present(handle);
      const invocation = invocationOf(handle.unit);
      return invocation === null || !isLast(handle) ? null : { ...handle, invocation };
    },
    async keep(instance, as) {
      const unit = unitOf(nameOf(instance));
      const environment = textOf(fileOf(unit, 'environment'));
      if (environment === null) return;
      const wanted = readOnlyAs(environment, as === 'read-only');
      if (wanted !== environment) replaceFile(fileOf(unit, 'environment'), wanted);
      if (as === 'live') live.put(instance.environment, unit);
      else live.drop(unit);
    },
  };
}

function isUnit(handle: InstanceHandle): handle is UnitHandle {
  return 'unit' in handle;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
