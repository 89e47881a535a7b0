// A step of an upgrade as a process that is killed before or after its n-th change of a file, or ends by itself.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [step, home = '', directory = '', installed = '', n = '', when = '', name = ''] = process.argv.slice(2);
let left = Number(n);

for (const change of ['rename', 'rm', 'cp', 'copyFile', 'writeFile', 'symlink', 'mkdir', 'chmod'] as const) {
  const original = fs[change] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(fs, {
    async [change](...args: unknown[]) {
      const isLast = left === 0;
      left -= 1;
      if (isLast && when === 'before') process.kill(process.pid, 'SIGKILL');
      const result = await original(...args);
      if (isLast) process.kill(process.pid, 'SIGKILL');
      return result;
    },
  });
}
syncBuiltinESMExports();

const { put } = await import('../../../deployer/upgrade/put.ts');
const place = { home, upgrades: { directory, installed } };
if (step === 'put') await put(name, place);
else {
  const { beforeStart } = await import('../../../deployer/upgrade/before-start.ts');
  await beforeStart({ ...place, put: (release) => put(release, place) });
}
