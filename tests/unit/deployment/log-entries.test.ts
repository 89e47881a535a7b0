import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../deployer/deployment/cause.ts';
import { lastLines } from '../../../deployer/deployment/last-lines.ts';
import type { Suite } from '../../../deployer/deployment/model.ts';
import { createRedaction } from '../../../deployer/redaction.ts';

const { redact } = createRedaction();
const RELEASE = '/srv/releases/abc';
const well = (path: string, status = 200) => JSON.stringify({ level: 30, path, status, msg: 'answered' });
const failed = (message: string) => {
  const stack = `TypeError: ${message}\n    at list (file://${RELEASE}/app/list.ts:23:9)\n    at node:internal/x:1:1`;
  return JSON.stringify({ level: 50, err: { type: 'TypeError', message, stack }, msg: 'failed' });
};
const output = [
  failed('title of undefined'),
  well('/', 500),
  failed('title of undefined'),
  ...Array.from({ length: 50 }, (_, index) => well(`/${index}`)),
].join('\n');

describe('the log of an instance that failed on one request of many', () => {
  it('is shown by its error and the trace of that, once', () => {
    expect(lastLines(output, RELEASE, redact)).toEqual([
      'TypeError: title of undefined',
      'at list (app/list.ts:23:9)',
      'at node:internal/x:1:1',
    ]);
  });

  it('is shown as it is when it tells no error, or is no structured one', () => {
    expect(lastLines([well('/a'), well('/b')].join('\n'), RELEASE, redact)).toEqual([well('/a'), well('/b')]);
    expect(lastLines('{"level": broken\nplain', RELEASE, redact)).toEqual(['{"level": broken', 'plain']);
    expect(lastLines(`${well('/a')}\n{"level":"ERROR","message":"no trace"}`, RELEASE, redact)).toEqual([
      '{"level":"ERROR","message":"no trace"}',
    ]);
  });

  const release = { directory: RELEASE } as never;
  const suites = (actual: string, location: string | null = null): Suite[] => {
    const check = { name: 'GET /', success: false, expected: '200', actual, hint: null, location };
    return [{ name: 'routes', success: false, durationMs: 1, checks: [check] }];
  };
  it.each([
    [
      'gave 500',
      output,
      'routes: GET / gave 500, expected 200: app/list.ts:23: TypeError: title of undefined',
    ],
    ['gave 404', output, 'routes: GET / gave 404, expected 200'],
    ['gave 500', well('/'), 'routes: GET / gave 500, expected 200'],
    [
      'gave 500',
      `listening\nRangeError: no stock\n    at list (file://${RELEASE}/lib/list.mjs:20:3)\nTypeError: another`,
      'routes: GET / gave 500, expected 200: lib/list.mjs:20: RangeError: no stock',
    ],
    [
      'gave 500',
      `Traceback (most recent call last):\n  File "${RELEASE}/shop.py", line 7, in get\nKeyError: 'x'\nlater`,
      "routes: GET / gave 500, expected 200: shop.py:7: KeyError: 'x'",
    ],
    ['gave 500', 'Error: elsewhere\n    at node:internal/x:1:1', 'routes: GET / gave 500, expected 200'],
  ])('explains an answer that %s', async (actual, said, cause) => {
    expect(await causeOf({ release }, suites(actual), async () => said)).toBe(cause);
  });

  it('names the place of the check where no log names a better one, and leaves it out where it would be cut', async () => {
    const told = (location: string, said: string) =>
      causeOf({ release }, suites('gave 500', location), async () => said);
    expect(await told('app/home.ts:9', '')).toBe('routes: GET / gave 500, expected 200 (app/home.ts:9)');
    expect(await told('app/home.ts:9', output)).toContain('200: app/list.ts:23: TypeError');
    expect(await told('a'.repeat(100), '')).toBe('routes: GET / gave 500, expected 200');
  });

  it('explains nothing when nothing failed, or the log cannot be read', async () => {
    expect(await causeOf({ release }, [], async () => output)).toBeNull();
    const unreadable = () => Promise.reject(new Error('gone'));
    expect(await causeOf({ release }, suites('gave 500'), unreadable)).toBe(
      'routes: GET / gave 500, expected 200',
    );
  });
});

it('the last lines of a log that never ends its line are found at once', () => {
  const began = process.cpuUsage();
  expect(lastLines('a-'.repeat(131_072), RELEASE, redact)).toHaveLength(1);
  expect(process.cpuUsage(began).user, 'microseconds').toBeLessThan(1_000_000);
});
