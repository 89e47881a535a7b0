import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAccessLog } from '../../../deployer/host/web-server/access-log.ts';
import { scratch } from '../scratch.ts';

const line = (status: number, headers: object = {}) =>
  `${JSON.stringify({ status, resp_headers: headers })}\n`;

function logged(text: string) {
  const path = join(scratch(), 'access.log');
  writeFileSync(path, text);
  return path;
}

test('counts what comes after it was opened, and what instances failed', () => {
  const path = logged(line(500));
  const log = openAccessLog(path);
  expect(log.read()).toEqual({ requests: 0, errors: 0 });
  appendFileSync(path, line(200) + line(404) + line(500) + line(502, { 'X-Not-Executed': [''] }));
  expect(log.read()).toEqual({ requests: 4, errors: 2 });
  expect(log.read()).toEqual({ requests: 4, errors: 2 });
});

test('blames no instance for what the front door itself answered', () => {
  const path = logged('');
  const log = openAccessLog(path);
  appendFileSync(path, line(503, { 'X-Not-Executed': ['unavailable'] }));
  expect(log.read()).toEqual({ requests: 1, errors: 0 });
});

test('waits for the rest of a line, and passes over what is none', () => {
  const path = logged('');
  const log = openAccessLog(path);
  const half = line(500);
  appendFileSync(path, `nonsense\n{"status":"x"}\n${half.slice(0, 9)}`);
  expect(log.read()).toEqual({ requests: 0, errors: 0 });
  appendFileSync(path, half.slice(9));
  expect(log.read()).toEqual({ requests: 1, errors: 1 });
});

test('follows a log that is rotated, emptied, or not there yet', () => {
  const path = join(scratch(), 'access.log');
  const log = openAccessLog(path);
  expect(log.read()).toEqual({ requests: 0, errors: 0 });
  writeFileSync(path, line(200));
  expect(log.read().requests).toBe(1);
  appendFileSync(path, line(200));
  renameSync(path, `${path}.1`);
  writeFileSync(path, line(200) + line(200));
  expect(log.read().requests).toBe(4);
  truncateSync(path);
  appendFileSync(path, line(200));
  expect(log.read().requests).toBe(5);
});

test('reads a line that is longer than what is read at once', () => {
  const path = logged('');
  const log = openAccessLog(path);
  appendFileSync(path, `${JSON.stringify({ uri: 'x'.repeat(3_000_000), status: 500 })}\n${line(200)}`);
  expect(log.read()).toEqual({ requests: 2, errors: 1 });
});
