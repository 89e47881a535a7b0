import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { caddyAdmin } from '../../../deployer/install/steps/caddy-admin.ts';
import { withoutLine } from '../../../deployer/install/steps/line.ts';
import { scratch } from '../scratch.ts';

const ADDRESS = 'unix//run/caddy/admin.sock';
const DEBIAN = '# The Caddyfile is an easy way\n\n:80 {\n\troot * /usr/share/caddy\n}\n';

describe('the address where Caddy is told what to serve', () => {
  const caddyfile = () => join(scratch(), 'Caddyfile');

  it.each([
    ['a file without options', DEBIAN, `{\n\tadmin ${ADDRESS}\n}\n${DEBIAN}`],
    [
      'options that a maintainer has',
      `# ours\n{\n\temail a@example.org\n}\n${DEBIAN}`,
      `# ours\n{\n\tadmin ${ADDRESS}\n\temail a@example.org\n}\n${DEBIAN}`,
    ],
    [
      'options that open it to all',
      `{\n\temail a@example.org\n\tadmin 0.0.0.0:2019 {\n\t\torigins a\n\t}\n}\n`,
      `{\n\temail a@example.org\n\tadmin ${ADDRESS} {\n\t\torigins a\n\t}\n}\n`,
    ],
    ['a file that is not there', null, `{\n\tadmin ${ADDRESS}\n}\n`],
  ])('is put into %s, once', async (_, before, after) => {
    const file = caddyfile();
    if (before !== null) await writeFile(file, before);
    const step = caddyAdmin(file, ADDRESS);
    expect(await step.check()).not.toBeNull();
    await step.apply();
    expect(await readFile(file, 'utf8')).toBe(after);
    expect(await step.check()).toBeNull();
  });

  it.each(['off', 'unix//run/another.sock'])('is left alone where it is %s', async (address) => {
    const file = caddyfile();
    await writeFile(file, `{\n\tadmin ${address}\n}\n${DEBIAN}`);
    expect(await caddyAdmin(file, ADDRESS).check()).toBeNull();
  });

  it('goes again with the options that were made for it', async () => {
    const file = caddyfile();
    await writeFile(file, DEBIAN);
    const step = caddyAdmin(file, ADDRESS);
    await step.apply();
    if (step.made?.kind !== 'line') throw new Error('it has to be a line');
    await withoutLine(file, step.made.line, 'caddy').apply();
    expect(await readFile(file, 'utf8')).toBe(DEBIAN);
  });
});
