import { expect, test } from 'vitest';
import { isHidden } from '../../../deployer/host/front-door/hidden.ts';
import { hiddenPattern } from '../../../deployer/host/web-server/hidden-pattern.ts';

const pattern = new RegExp(hiddenPattern(), 'i');

const HIDDEN = [
  '/_deploy/mode',
  '/_deploy/routes?x=1',
  '/_DEPLOY/Mode/',
  '//_deploy//mode',
  '/../_deploy/mode',
  '/x/%252e%252E/_deploy/mode',
  '/%5fdeploy/%6dode',
  '/%255Fdeploy/mod%2565',
  '/_deploy/./mode',
  '/_deploy/%2e/mode',
  '/_deploy%2fmode',
  '/_deploy\\mode',
  '/_deploy%255cmode',
  '/_deploy;a=b/mode;c',
  '/_deploy%3Ba/mode',
  '/_deploy/mode%00',
  '/_dep%09loy/mode%20',
  '/_deploy/mode/..',
  '/_deploy/mode/anything',
  'http://a/_deploy/mode',
  'HTTP://a//_deploy/mode?',
];
const OPEN = [
  '/',
  '/_deploy/health',
  '/_deploy/modes',
  '/_deploy/mode-s',
  '/_deploy/',
  '/a/_deploy/mode',
  '/?/_deploy/mode',
  '/x_deploy/mode',
  '/_deploy?/mode',
  'http://_deploy/mode',
];

test.each(HIDDEN)('is hidden as in the embedded front door: %s', (target) => {
  expect([isHidden(target), pattern.test(target)]).toEqual([true, true]);
});

test.each(OPEN)('is open as in the embedded front door: %s', (target) => {
  expect([isHidden(target), pattern.test(target)]).toEqual([false, false]);
});

test('is judged quickly, however long and strange a target is', () => {
  const began = process.cpuUsage();
  for (const piece of ['/', '%2f', '/..', '%25', '/;a', '/%5f', '/_deploy', '/_deploy;%2f'])
    expect(pattern.test(`${piece.repeat(16_000 / piece.length)}x`)).toBe(false);
  expect(process.cpuUsage(began).user, 'microseconds').toBeLessThan(2_000_000);
});
