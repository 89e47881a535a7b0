import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { processInstances } from './process-instances.ts';
import { processManager } from './process.ts';
import { sandbox } from './systemd/command.ts';
import { systemdInstances } from './systemd/manager.ts';
import type { InstanceManager, RunCommand, ServiceManager } from './types.ts';

/** What runs things on this machine. */
export interface Machine {
  /** The deployer's own helpers. */
  processes: ServiceManager;
  instances: InstanceManager;
  /** Commands of a release. */
  runCommand: RunCommand;
}

/** What every unit sees of the home, as another user. */
function openHome(home: string): void {
  for (const name of ['releases', 'dependencies', 'units']) {
    mkdirSync(join(home, name), { recursive: true });
    chmodSync(join(home, name), 0o755);
  }
}

/** Plain processes, or systemd's units where `install` has put their templates. */
export function machineOf(home: string, services: 'process' | 'systemd'): Machine {
  const processes = processManager();
  const others = processInstances(processes);
  if (services === 'process') return { processes, instances: others, runCommand };
  openHome(home);
  return { processes, instances: systemdInstances({ home, others }), runCommand: sandbox(home) };
}
