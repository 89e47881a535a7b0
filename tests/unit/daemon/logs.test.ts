import { appendFileSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { deploymentsLog } from '../../../deployer/daemon/deployments-log.ts';
import { capLogs } from '../../../deployer/daemon/log-cap.ts';
import type { Deployment } from '../../../deployer/deployment/model.ts';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'logs-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('a log beyond its limit is cut, its end is kept beside it, and whoever writes goes on', async () => {
  const directory = scratch();
  const file = join(directory, 'dev-blue.log');
  const writer = openSync(file, 'a');
  writeSync(writer, `${'x'.repeat(2000)}the end\n`);
  appendFileSync(join(directory, 'small.log'), 'small');
  await capLogs(directory, 1000);
  expect(statSync(file).size).toBe(0);
  expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/^x{992}the end\n$/);
  writeSync(writer, 'more');
  expect(readFileSync(file, 'utf8')).toBe('more');
  expect(readFileSync(join(directory, 'small.log'), 'utf8')).toBe('small');
});

test('each deployment is one line, whatever its cause says', async () => {
  const directory = scratch();
  const deployment: Deployment = {
    id: '20261121-140000-abcdef',
    kind: 'deploy',
    environment: 'prod',
    branch: 'main',
    commit: 'c0ffee00c0ffee00',
    tree: null,
    outcome: 'rejected',
    cause: 'routes: GET / gave 500\nexpected 200',
    requestedBy: 'a person',
    requestedAt: '2026-11-21T14:00:00.000Z',
    liveAt: null,
    finishedAt: '2026-11-21T14:00:02.500Z',
    tag: null,
    stages: [],
    suites: [],
  };
  await deploymentsLog(directory)(deployment);
  await deploymentsLog(undefined)(deployment);
  expect(readFileSync(join(directory, 'deployments.log'), 'utf8')).toBe(
    '2026-11-21T14:00:02.500Z environment=prod kind=deploy outcome=rejected id=20261121-140000-abcdef commit=c0ffee00c0ff by=a_person seconds=2.5 tag=- cause=routes: GET / gave 500 expected 200\n',
  );
});
