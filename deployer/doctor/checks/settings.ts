import { statSync } from 'node:fs';
import { join } from 'node:path';
import { LAYOUT } from '../../install/layout.ts';
import { bad, good, type Examine } from '../check.ts';

/** Complete and well formed, and what is secret is nobody else's to read. */
export const settings: Examine = async ({ home, isHost, settingsProblem }) => {
  const where = isHost ? LAYOUT.settings : 'the environment variables';
  const complete =
    settingsProblem === null
      ? good('settings', 'complete')
      : bad('settings', {
          expected: 'complete',
          actual: settingsProblem,
          hint: isHost
            ? `edit ${LAYOUT.settings}, then systemctl restart deployer`
            : 'set it, then start again',
          location: where,
        });
  const files = ['admin-token', 'webhook-secret'].map((name) => join(home, name));
  return [complete, ...files.flatMap((file) => ownSecret(file))];
};

function ownSecret(file: string) {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) return [];
  const name = `only the deployer reads ${file}`;
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  if ((found.mode & 0o077) === 0) return [good(name, `mode ${mode}`)];
  const hint = `chmod 600 ${file}; others may have read it: remove it and restart the deployer for a new one`;
  return [bad(name, { expected: 'mode 0600', actual: `mode ${mode}`, hint, location: file })];
}
