import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { SAID_BYTES } from '../process-instances.ts';
import { BARE } from './systemctl.ts';

/** Milliseconds that the journal may be behind what a process wrote last. */
const BEHIND = 500;
const STEP = 100;

/** The last lines that a unit's processes wrote. Needs the group systemd-journal; empty when there are none. */
export async function journalOf(unit: string): Promise<string> {
  const fields = [`_SYSTEMD_UNIT=${unit}`, '_TRANSPORT=stdout'];
  for (let waited = 0; ; waited += STEP) {
    const { stdout } = await execa(
      'journalctl',
      ['--quiet', '--no-pager', '--boot', '--lines=1000', '--output=cat', '--since=-2min', ...fields],
      { reject: false, ...BARE, stdin: 'ignore', stderr: 'ignore' },
    );
    if (stdout !== '' || waited >= BEHIND) return stdout.slice(-SAID_BYTES);
    await sleep(STEP);
  }
}
