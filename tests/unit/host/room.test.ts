import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { liveUnits } from '../../../deployer/host/systemd/live-units.ts';
import { furnish, roomOf } from '../../../deployer/host/systemd/room.ts';
import { share } from '../../../deployer/host/systemd/share.ts';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'systemd-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('what is shared is open to the group, as much as is asked for, and links lead nowhere', async () => {
  const directory = scratch();
  const outside = join(scratch(), 'outside');
  writeFileSync(outside, '', { mode: 0o600 });
  mkdirSync(join(directory, 'data'), { mode: 0o700 });
  writeFileSync(join(directory, 'data', 'database'), '', { mode: 0o600 });
  symlinkSync(outside, join(directory, 'data', 'link'));
  await share(join(directory, 'data'), 'read');
  expect([modeOf(join(directory, 'data')), modeOf(join(directory, 'data', 'database'))]).toEqual([
    '750',
    '640',
  ]);
  await share(join(directory, 'data'), 'write');
  expect([modeOf(join(directory, 'data')), modeOf(join(directory, 'data', 'database'))]).toEqual([
    '770',
    '660',
  ]);
  expect(modeOf(outside)).toBe('600');
});

test('a room links to what the unit may see of the home, and to nothing else', async () => {
  const home = scratch();
  const own = join(home, 'data', 'dev', 'g1');
  const report = join(home, 'scratch', 'baseline.json');
  mkdirSync(join(home, 'scratch'));
  writeFileSync(report, '', { mode: 0o600 });
  const workspace = join(home, 'dependencies', 'key.tmp-1');
  const reads = [report, own, '/etc', join(home, 'releases', 'abc')];
  await furnish(home, 'dev-blue', {
    argv: ['node'],
    cwd: '/',
    env: { A: 'b' },
    reads,
    writes: [own, workspace],
  });
  const room = roomOf(home, 'dev-blue');
  expect(readlinkSync(join(room, 'writes', '0'))).toBe(own);
  expect(readlinkSync(join(room, 'writes', '1'))).toBe(workspace);
  expect(readlinkSync(join(room, 'reads', '0'))).toBe(report);
  expect(() => lstatSync(join(room, 'reads', '1'))).toThrow('ENOENT');
  expect([modeOf(own).slice(0, 2), modeOf(report)]).toEqual(['77', '640']);
  expect(readFileSync(join(room, 'environment'), 'utf8')).toBe(
    'A="b"\nUNIT_COMMAND="\\"node\\""\nUNIT_DIRECTORY="/"\n',
  );
});

test('a room has no more links than the unit files show', async () => {
  const home = scratch();
  const writes = Array.from({ length: 7 }, (_, index) => join(home, 'files', String(index)));
  const room = { argv: ['node'], cwd: '/', env: {}, reads: [], writes };
  await expect(furnish(home, 'dev-blue', room)).rejects.toThrow('room for 6 links, not for 7');
});

test('one instance of an environment comes up after a boot', () => {
  const file = join(scratch(), 'live');
  const units = liveUnits(file);
  units.put('dev', 'datatracker@dev-blue.service');
  units.put('dev-2', 'datatracker@dev-2-blue.service');
  units.put('dev', 'datatracker@dev-green.service');
  expect(readFileSync(file, 'utf8')).toBe('datatracker@dev-2-blue.service\ndatatracker@dev-green.service\n');
  units.drop('datatracker@dev-2-blue.service');
  expect(readFileSync(file, 'utf8')).toBe('datatracker@dev-green.service\n');
});
