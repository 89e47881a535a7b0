import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { deployerIn } from '../../../deployer/upgrade/identity.ts';
import { scratch } from '../scratch.ts';

const FILES = {
  'package.json': '{"bin":{"deployer":"deployer/cli/launch.mjs"}}',
  'package-lock.json': '{}',
  'deployer/cli/main.ts': 'main',
  'deployer/web/app.ts': 'app',
  'backups/index.ts': 'backups',
  'environments/schema.ts': 'schema',
  'environments/prod.yaml': 'name: prod',
  'environments/systemd/deployer.service': '[Unit]',
  'migrations/deployer/1.ts': 'one',
  'migrations/datatracker/1.ts': 'one',
  'app/server.ts': 'server',
};

function release(changes: Record<string, string | null> = {}): string {
  const directory = scratch();
  for (const [path, content] of Object.entries({ ...FILES, ...changes })) {
    if (content === null) continue;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

it.each([
  'deployer/web/app.ts',
  'deployer/new.ts',
  'backups/index.ts',
  'environments/schema.ts',
  'environments/systemd/deployer.service',
  'migrations/deployer/1.ts',
  'migrations/deployer/2.ts',
  'package-lock.json',
])('a change of %s makes another deployer', async (path) => {
  expect(await deployerIn(release({ [path]: 'changed' }))).not.toBe(await deployerIn(release()));
});

it.each([
  'app/server.ts',
  'migrations/datatracker/2.ts',
  'environments/prod.yaml',
  'README.md',
  'node_modules/a.js',
])('a change of %s does not', async (path) => {
  expect(await deployerIn(release({ [path]: 'changed' }))).toBe(await deployerIn(release()));
});

it('what is gone from it makes another one', async () => {
  expect(await deployerIn(release({ 'deployer/web/app.ts': null }))).not.toBe(await deployerIn(release()));
});

it('is the same wherever the release is', async () => {
  const one = release();
  const other = join(scratch(), 'moved');
  cpSync(one, other, { recursive: true });
  expect(await deployerIn(other)).toBe(await deployerIn(one));
});

it('is in no other application', async () => {
  expect(await deployerIn(release({ 'package.json': '{"name":"another"}' }))).toBeNull();
  expect(await deployerIn(release({ 'package.json': 'nonsense' }))).toBeNull();
  const without = release();
  rmSync(join(without, 'deployer/cli/main.ts'));
  expect(await deployerIn(without)).toBeNull();
  expect(await deployerIn(join(without, 'missing'))).toBeNull();
});
