import { describe, expect, it, vi } from 'vitest';
import { discover } from '../../../deployer/reconcile/environments.ts';
import { environment, FakeMirror } from './fake-mirror.ts';

/** What is discovered when each branch holds these files. */
async function found(branches: Record<string, Record<string, string>>, known: Record<string, string> = {}) {
  const mirror = new FakeMirror();
  for (const [branch, files] of Object.entries(branches)) mirror.push(branch, branch, files);
  await mirror.fetch();
  const { wanted, problems } = await discover(mirror, new Map(Object.entries(known)));
  return {
    problems,
    wanted: wanted.map(({ name, branch, config }) => `${name} on ${branch}${config ? '' : ', broken'}`),
  };
}

const DEV = { 'dev.yaml': environment('dev', 'dev') };
const PROD = { 'prod.yaml': environment('prod', 'main', { requires: 'dev' }) };

describe('an environment', () => {
  it('exists when the branch that its file names holds that file', async () => {
    const both = { ...DEV, ...PROD };
    expect(await found({ dev: both, main: both, feature: both })).toEqual({
      wanted: ['dev on dev', 'prod on main'],
      problems: [],
    });
  });

  it('is read once a head, and parsed once for all branches and looks that find the same text', async () => {
    const mirror = new FakeMirror();
    for (const branch of ['dev', 'main']) mirror.push(branch, branch, DEV);
    await mirror.fetch();
    const configOf = async () => (await discover(mirror, new Map())).wanted[0]?.config;
    const config = await configOf();
    expect(config).toMatchObject({ name: 'dev' });
    const list = vi.spyOn(mirror, 'list');
    expect(await configOf()).toBe(config);
    expect(list).not.toHaveBeenCalled();
    mirror.push('dev', 'later', { 'dev.yaml': environment('dev', 'dev', { requires: 'other' }) });
    await mirror.fetch();
    expect(await configOf()).toMatchObject({ requires: 'other' });
  });

  it('does not exist when only another branch holds its file', async () => {
    expect(await found({ feature: DEV })).toEqual({ wanted: [], problems: [] });
  });

  it.each([
    ['its branch', { main: PROD }, 'its branch dev is gone'],
    [
      'its file',
      { main: PROD, dev: { 'README.md': '' } },
      'its branch dev does not hold environments/dev.yaml any more',
    ],
  ])('that has lost %s is told of: nothing stops it', async (_, branches, problem) => {
    expect(await found(branches, { prod: 'main', dev: 'dev' })).toEqual({
      wanted: ['prod on main'],
      problems: [`environment dev: ${problem}; what is live stays until deployer remove dev`],
    });
  });

  it('is a .yaml file with a proper name', async () => {
    const text = environment('dev', 'dev');
    const files = { 'schema.json': '{}', 'dev.yml': text, 'Dev.yaml': text, '.yaml': text, 'README.md': '' };
    expect(await found({ dev: files })).toEqual({ wanted: [], problems: [] });
  });
});

describe('the name of an environment', () => {
  const hijack = { 'prod.yaml': environment('prod', 'attack') };

  it.each(['attack', 'zz-attack'])('cannot be taken over by the branch %s', async (branch) => {
    const files = { 'prod.yaml': environment('prod', branch) };
    const { wanted, problems } = await found({ main: PROD, [branch]: files }, { prod: 'main' });
    expect(wanted).toEqual(['prod on main']);
    expect(problems).toEqual([expect.stringMatching(/^environment prod is claimed by .*; main keeps it$/)]);
  });

  it('cannot be taken over while its own file is broken', async () => {
    const { wanted } = await found({ main: { 'prod.yaml': 'branch: [' }, attack: hijack }, { prod: 'main' });
    expect(wanted).toEqual(['prod on main, broken']);
  });

  it('cannot be taken over by a push that drops its own file, only when its branch is gone', async () => {
    const { wanted, problems } = await found({ main: { 'README.md': '' }, attack: hijack }, { prod: 'main' });
    expect(wanted).toEqual([]);
    expect(problems).toEqual([
      'branch attack claims the environment prod of branch main, which does not hold its file any more',
    ]);
    expect((await found({ attack: hijack }, { prod: 'main' })).wanted).toEqual(['prod on attack']);
  });

  it('of two new branches goes to one of them, and the problem is shown', async () => {
    const { wanted, problems } = await found({ main: PROD, attack: hijack });
    expect(wanted).toHaveLength(1);
    expect(problems).toHaveLength(1);
  });

  it('moves to another branch when its own says so', async () => {
    const moved = { 'prod.yaml': environment('prod', 'release') };
    expect((await found({ main: moved, release: moved }, { prod: 'main' })).wanted).toEqual([
      'prod on release',
    ]);
  });
});

describe('a file that is broken', () => {
  it.each([
    ['YAML', 'name: [', /branch dev: environments\/dev\.yaml:1: is no YAML: /],
    ['keys', `${environment('dev', 'dev')}lisen: x\n`, /"lisen"/],
    ['an alias bomb', bomb(), /alias/i],
    ['nothing', '', /branch dev: environments\/dev\.yaml: /],
  ])('in its %s is a problem that names it, and does not hide the others', async (_what, text, expected) => {
    const { wanted, problems } = await found({ dev: { 'dev.yaml': text }, main: PROD });
    expect(wanted).toEqual(['prod on main']);
    expect(problems).toEqual([expect.stringMatching(expected)]);
  });

  it('of an environment that exists is still deployed, so that the deployment tells what is wrong', async () => {
    const { wanted, problems } = await found({ dev: { 'dev.yaml': 'name: [' } }, { dev: 'dev' });
    expect(wanted).toEqual(['dev on dev, broken']);
    expect(problems).toHaveLength(1);
  });
});

describe('environments that require others', () => {
  const chain = (...links: [name: string, requires?: string][]) =>
    found(
      Object.fromEntries(
        links.map(([name, requires]) => [
          name,
          { [`${name}.yaml`]: environment(name, name, requires === undefined ? {} : { requires }) },
        ]),
      ),
    );
  const names = async (...links: Parameters<typeof chain>) =>
    (await chain(...links)).wanted.map((text) => text.split(' ')[0]);

  it('come after them', async () => {
    expect(await names(['a', 'b'], ['b', 'c'], ['c'])).toEqual(['c', 'b', 'a']);
  });

  it('may require one that does not exist', async () => {
    expect(await names(['a', 'nobody'], ['b'])).toEqual(['a', 'b']);
  });

  it.each([
    ['itself', [['a', 'a'], ['b']]],
    ['each other', [['a', 'b'], ['b', 'a'], ['c']]],
    [
      'each other in a ring',
      [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
        ['d', 'a'],
      ],
    ],
  ] as [string, [string, string?][]][])('that require %s do not hang the look', async (_what, links) => {
    expect(new Set(await names(...links))).toEqual(new Set(links.map(([name]) => name)));
  });
});

function bomb(): string {
  const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]`;
  return ['a: &a [x]', level('b', 'a'), level('c', 'b'), level('d', 'c'), level('e', 'd')].join('\n');
}
