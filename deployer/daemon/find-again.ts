import type { Tools } from '../deployment/work.ts';

/** What the machine itself brought up again while there was no daemon, after a crash or a boot, is the instance that it was. */
export async function findAgain({
  instances,
  services,
}: Pick<Tools, 'instances' | 'services'>): Promise<void> {
  for (const instance of await instances.all()) {
    const process = services.alive(instance.process) ? null : services.present(instance.process);
    if (process) await instances.put({ ...instance, process });
  }
}
