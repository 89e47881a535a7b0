import { expect, test } from 'vitest';
import {
  commandVariable,
  environmentFile,
  readOnlyAs,
} from '../../../deployer/host/systemd/environment-file.ts';

test('systemd gets every value as it is: what it would expand or split is quoted', () => {
  expect(environmentFile({ A: 'plain', B: 'a "b" $c `d` \\e\nf \'g\' %i #' })).toBe(
    'A="plain"\nB="a \\"b\\" \\$c \\`d\\` \\\\e\nf \'g\' %i #"\n',
  );
});

test('a command is one variable that splits into the same words', () => {
  expect(commandVariable(['node', 'two words', 'a"b\\c', ''])).toBe('"node" "two words" "a\\"b\\\\c" ""');
});

test('a program that env would take for a variable is refused', () => {
  expect(() => commandVariable(['A=B'])).toThrow('it has a =');
});

test('an instance that is live comes up again as live, and only that changes', () => {
  const file = environmentFile({ X: 'DEPLOYMENT_MODE', DEPLOYMENT_MODE: 'true', Y: '1' });
  expect(readOnlyAs(file, false)).toBe('X="DEPLOYMENT_MODE"\nDEPLOYMENT_MODE="false"\nY="1"\n');
  expect(readOnlyAs(readOnlyAs(file, false), true)).toBe(file);
});
