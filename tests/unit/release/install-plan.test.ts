import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planInstall, type InstallPlan } from '../../../deployer/release/install-plan.ts';
import { scratch } from '../../integration/release/fixture.ts';

const NPM_CI = ['npm', 'ci', '--omit=dev'];
const LOCK = JSON.stringify({ lockfileVersion: 3, packages: { '': {} } });

async function plan(
  files: Record<string, string>,
  argv: string[] = NPM_CI,
  more: string[] = [],
): Promise<InstallPlan> {
  const directory = await scratch();
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const paths = [...Object.keys(files), ...more];
  return await planInstall(
    argv,
    directory,
    paths.map((path) => ({ mode: '100644', id: 'a'.repeat(40), path })),
  );
}

async function keyOf(description: object, more: Record<string, string> = {}, argv = NPM_CI): Promise<string> {
  const made = await plan(
    { 'package.json': JSON.stringify(description), 'package-lock.json': LOCK, ...more },
    argv,
  );
  return made.kind === 'shared' ? made.key : made.kind;
}

describe('the plan of an install', () => {
  it('is none without a command', async () => {
    expect(await plan({}, [])).toEqual({ kind: 'none' });
  });

  it('demands a lockfile for npm', async () => {
    await expect(plan({ 'package.json': '{}' })).rejects.toThrow('a lockfile is required');
    await expect(plan({ 'package.json': '{}' }, ['npm', 'install'])).rejects.toThrow(
      'commit package-lock.json',
    );
    await expect(plan({ 'package-lock.json': LOCK })).rejects.toThrow('commit package.json');
  });

  it('shares what depends on lockfile and dependencies alone', async () => {
    const key = await keyOf({
      name: 'a',
      version: '1.0.0',
      dependencies: { x: '1' },
      scripts: { test: 'vitest' },
    });
    const renamed = await keyOf({
      name: 'b',
      version: '2.0.0',
      dependencies: { x: '1' },
      scripts: { test: 'jest' },
    });
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(renamed).toBe(key);
  });

  it('has another key for everything that changes what npm installs', async () => {
    const keys = await Promise.all([
      keyOf({ dependencies: { x: '1' } }),
      keyOf({ dependencies: { x: '2' } }),
      keyOf({ devDependencies: { x: '1' } }),
      keyOf({ overrides: { x: '1' } }),
      keyOf({ engines: { node: '>=20' } }),
      keyOf({ scripts: { postinstall: 'node x' } }),
      keyOf({ dependencies: { x: '1' } }, { '.npmrc': 'omit=optional' }),
      keyOf({ dependencies: { x: '1' } }, { 'package-lock.json': `${LOCK} ` }),
      keyOf({ dependencies: { x: '1' } }, {}, ['npm', 'ci']),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('stays in the release when it needs other files of the tree', async () => {
    expect(await keyOf({ workspaces: ['packages/*'] })).toBe('in-place');
    expect(await keyOf({ dependencies: { x: 'file:../x' } })).toBe('in-place');
    expect(await keyOf({ dependencies: { x: './x' } })).toBe('in-place');
    const linked = JSON.stringify({ packages: { 'node_modules/x': { link: true, resolved: 'x' } } });
    expect(await keyOf({}, { 'package-lock.json': linked })).toBe('in-place');
    const scripts = { postinstall: 'node build.js' };
    expect(await keyOf({ scripts }, {}, ['npm', 'ci', '--no-ignore-scripts'])).toBe('in-place');
    const files = { 'package.json': '{}', 'package-lock.json': LOCK };
    expect((await plan(files, NPM_CI, ['node_modules/x/index.js'])).kind).toBe('in-place');
    expect((await plan({}, ['make', 'deps'])).kind).toBe('in-place');
    expect((await plan({}, ['npm', 'run', 'build'])).kind).toBe('in-place');
  });

  it('prefers npm-shrinkwrap.json, as npm does', async () => {
    const files = { 'package.json': '{}', 'package-lock.json': LOCK, 'npm-shrinkwrap.json': LOCK };
    const made = await plan(files);
    expect(made.kind === 'shared' && [...made.files.keys()]).toEqual(['package.json', 'npm-shrinkwrap.json']);
  });

  it('says which file cannot be read', async () => {
    await expect(plan({ 'package.json': '{', 'package-lock.json': LOCK })).rejects.toThrow(
      'package.json cannot be read',
    );
    await expect(plan({ 'package.json': '{}', 'package-lock.json': '[]' })).rejects.toThrow(
      'package-lock.json',
    );
  });
});
