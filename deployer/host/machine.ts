import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { embeddedFrontDoor } from './front-door/client.ts';
import { processInstances } from './process-instances.ts';
import { processManager } from './process.ts';
import { sandbox } from './systemd/command.ts';
import { systemdInstances } from './systemd/manager.ts';
import type { FrontDoor, InstanceManager, RunCommand, RunDirectory } from './types.ts';
import { webServerFrontDoor } from './web-server/front-door.ts';
import type { WebServer } from './web-server/site.ts';

/** What runs things on this machine, and whom its visitors meet. */
export interface Machine {
  instances: InstanceManager;
  /** Commands of a release. */
  runCommand: RunCommand;
  frontDoor: FrontDoor;
}

/** What every unit sees of the home, as another user. */
function openHome(home: string): void {
  for (const name of ['releases', 'dependencies', 'units']) {
    mkdirSync(join(home, name), { recursive: true });
    chmodSync(join(home, name), 0o755);
  }
}

/** Plain processes, or systemd's units where `install` has put their templates; a front door of our own, or the web server. */
export function machineOf(
  home: string,
  runDirectory: RunDirectory,
  kinds: { services: 'process' | 'systemd'; frontDoor: 'embedded' | WebServer },
): Machine {
  const processes = processManager();
  const edges = { home, runDirectory, services: processes };
  const frontDoor = kinds.frontDoor === 'embedded' ? embeddedFrontDoor(edges) : webServerFrontDoor(edges);
  const others = processInstances(processes);
  if (kinds.services === 'process') return { instances: others, runCommand, frontDoor };
  openHome(home);
  return { instances: systemdInstances({ home, others }), runCommand: sandbox(home), frontDoor };
}
