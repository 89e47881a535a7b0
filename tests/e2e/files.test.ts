import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { Tools } from '../../deployer/deployment/work.ts';
import { liveForEach } from '../kit/live-stage.ts';
import { behaviour } from '../kit/repository.ts';

/** The live uploads of dev. */
let files: string;
/** By slot: what its instance was given to write, and to read. */
const given = new Map<string, { writes: readonly string[]; reads: readonly string[] }>();

const instrument = (tools: Tools): Tools => ({
  ...tools,
  services: {
    ...tools.services,
    start: (spec) => {
      given.set(spec.slot.replace(/-.*/, ''), { writes: spec.writes ?? [], reads: spec.reads ?? [] });
      return tools.services.start(spec);
    },
  },
});

beforeEach(() => given.clear());
const stage = liveForEach({}, { instrument });
beforeEach(async () => {
  files = join(stage.home, 'files', 'dev');
  await mkdir(join(files, 'deep'), { recursive: true });
  await writeFile(join(files, 'deep', 'upload.txt'), 'of a visitor');
});

/** A release that does something at its start, before anybody looks. */
async function startsWith(code: string) {
  const program = await stage.repository.git('show', 'HEAD:server.mjs');
  const imports =
    "import * as fs from 'node:fs';\nconst upload = `${process.env.FILES_DIR}/deep/upload.txt`;\n";
  const commit = await stage.push('dev', 'At its start', { 'server.mjs': `${imports}${code}\n${program}` });
  return stage.ended('dev', commit);
}

it('a release that removes files and then fails was only given a copy of them', async () => {
  const deployment = await startsWith("fs.rmSync(upload); throw new Error('planted');");
  expect(deployment).toMatchObject({
    outcome: 'rejected',
    cause: expect.stringContaining('planted') as string,
  });
  expect(await readdir(join(files, 'deep'))).toEqual(['upload.txt']);
  expect(await readdir(join(stage.home, 'scratch', '.rehearsal'))).toEqual([]);
});

it.each([
  ['removes', 'fs.rmSync(upload);', 'the file deep/upload.txt was removed'],
  ['changes', "fs.appendFileSync(upload, '!');", 'the file deep/upload.txt was changed'],
])(
  'a release whose start %s files is rejected before it is given the live ones',
  async (_what, code, words) => {
    expect(await startsWith(code)).toMatchObject({
      outcome: 'rejected',
      cause: expect.stringContaining(`the data was changed by the start of server.mjs: ${words}`) as string,
    });
    expect(await readdir(join(files, 'deep'))).toEqual(['upload.txt']);
  },
);

it('a release may make directories at its start', async () => {
  const made = 'fs.mkdirSync(`${process.env.FILES_DIR}/drafts`, { recursive: true });';
  expect(await startsWith(made)).toMatchObject({ outcome: 'deployed', cause: null });
  expect(await readdir(files)).toEqual(['deep', 'drafts']);
});

it('more files than can be copied in passing are only read by what is tried, and written by what will be live', async () => {
  for (let number = 0; number < 2000; number++) await writeFile(join(files, `${number}.txt`), '');
  const commit = await stage.push('dev', 'Two', { 'behaviour.json': behaviour({ version: 'two' }) });
  const deployment = await stage.ended('dev', commit);
  expect(deployment).toMatchObject({ outcome: 'deployed' });
  expect(given.get('rehearsal')).toMatchObject({ reads: [files] });
  expect(given.get('rehearsal')?.writes).not.toContain(files);
  expect(given.get('green')?.writes).toContain(files);
  const log = await Array.fromAsync(
    stage.daemon.operations.log(deployment.id, { follow: false, signal: new AbortController().signal }),
  );
  expect(log.join('\n')).toContain(
    'the rehearsal sees the live files, not a copy: there are more than 2000 files',
  );
});
