import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contestant, Entry, Place } from '../contestant.ts';
import { checkout } from './checkout.ts';

export const pm2Deploy: Entry = {
  name: 'pm2 deploy',
  about: 'git push, then pm2 deploy to this machine without ssh: npm install, migrate in place, pm2 reload',
  prepare,
};

async function prepare(place: Place): Promise<Contestant> {
  const { directory } = place;
  const path = join(directory, 'deployed');
  const config = join(directory, 'ecosystem.config.cjs');
  const deploy = {
    production: {
      host: 'localhost',
      ref: 'origin/dev',
      repo: join(directory, 'origin.git'),
      path,
      'post-deploy': `npm install --omit=dev && node migrate.mjs up && $PM2 reload ${config}`,
    },
  };
  await writeFile(join(directory, 'deploy.json'), JSON.stringify(deploy));
  const base = await checkout(place);
  await writeFile(config, `module.exports = ${JSON.stringify({ apps: [], deploy })};\n`);
  const pm2 = (...args: string[]) => base.run([base.pm2, 'deploy', config, 'production', ...args]);
  await pm2('setup');
  await base.launch(join(path, 'source'));
  await pm2('--force');
  return {
    ...base,
    async deploy() {
      await base.application.repository.push('HEAD:dev');
      await pm2('--force');
    },
    async rollback(down) {
      const cwd = join(path, 'source');
      if (down !== null) await base.run([process.execPath, 'migrate.mjs', 'down', '--to', down], { cwd });
      await pm2('revert', '1');
    },
  };
}
