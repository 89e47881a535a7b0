import type { ChildProcess } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../kit/daemon.ts';
import { begin, end } from '../commands.ts';
import type { Contestant, Entry, Place } from '../contestant.ts';
import { installWebhook } from '../packages.ts';
import { checkout } from './checkout.ts';

const SCRIPT = fileURLToPath(new URL('../scripts/checkout-reload.sh', import.meta.url));

export const webhook: Entry = {
  name: 'webhook + pm2 reload',
  about: "Debian's webhook runs pull, npm install, migrate in place, pm2 reload",
  prepare,
};

async function prepare(place: Place): Promise<Contestant> {
  const { directory } = place;
  const program = await installWebhook(place.packages);
  const base = await checkout(place);
  await base.run(['git', 'clone', '--quiet', '--branch', 'dev', join(directory, 'origin.git'), 'checkout']);
  await base.launch(join(directory, 'checkout'));
  const daemon = await listen(program, directory, base.env);
  place.atEnd(() => end(daemon));
  return {
    ...base,
    deploy: () => base.application.repository.push('HEAD:dev'),
    rollback: (down) => base.run([SCRIPT, 'HEAD@{1}'], down === null ? {} : { env: { DOWN_TO: down } }),
    rest: () => base.run(['flock', 'lock', 'true']),
  };
}

/** The hook of the repository asks webhook, as a forge would. */
async function listen(
  program: string,
  directory: string,
  env: Record<string, string>,
): Promise<ChildProcess> {
  const port = await freePort();
  const hooks = join(directory, 'hooks.json');
  const hook = { id: 'deploy', 'execute-command': SCRIPT, 'command-working-directory': directory };
  await writeFile(hooks, JSON.stringify([hook]));
  const options = ['-hooks', hooks, '-ip', '127.0.0.1', '-port', String(port), '-verbose'];
  const log = join(directory, 'log');
  const daemon = begin({ argv: [program, ...options], cwd: directory, env, log });
  const postReceive = join(directory, 'origin.git', 'hooks', 'post-receive');
  const url = `http://127.0.0.1:${port}/hooks/deploy`;
  await writeFile(postReceive, `#!/bin/sh\nexec curl -sf -o /dev/null -X POST ${url}\n`);
  await chmod(postReceive, 0o755);
  return daemon;
}
