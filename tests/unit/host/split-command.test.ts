import { describe, expect, test } from 'vitest';
import { splitCommand } from '../../../deployer/host/split-command.ts';

describe('splitCommand', () => {
  test.each([
    ['node app/server.ts', ['node', 'app/server.ts']],
    ['  npm  ci --omit=dev ', ['npm', 'ci', '--omit=dev']],
    [`run "two words" 'and $more; here' a\\ b`, ['run', 'two words', 'and $more; here', 'a b']],
    [`run "a \\"b\\" c" '' "x*"`, ['run', 'a "b" c', '', 'x*']],
    [`run \\$HOME '\`x\`' "~"`, ['run', '$HOME', '`x`', '~']],
    ['run --x=1 A=2', ['run', '--x=1', 'A=2']],
  ])('splits %s as a shell would', (text, words) => {
    expect(splitCommand(text)).toEqual(words);
  });

  test.each([
    ['a && b', '&&'],
    ['a | b', '|'],
    ['a > b', '>'],
    ['a; b', ';'],
    ['a &', '&'],
    ['a *.ts', '*.ts'],
    ['a $HOME', '$HOME'],
    ['a "${HOME}/x"', '$HOME'],
    ['a $(b)', '$'],
    ['a `b`', '`'],
    ['a "`b`"', '`'],
    ['a # b', '#'],
    ['a <(b)', '<('],
    ['a\nb', 'a line break'],
    ['a ~/b', '~'],
    ['NODE_ENV=production a', 'NODE_ENV='],
  ])('refuses %s and says what to do instead', (text, operator) => {
    expect(() => splitCommand(text)).toThrow(` uses ${operator}, but no shell runs it: quote it`);
  });

  test.each([`a "b`, `a 'b`, 'a \\'])('refuses %s, whose quote is open', (text) => {
    expect(() => splitCommand(text)).toThrow('has a quote that is not closed');
  });

  test.each(['', '   ', '""'])('refuses %j, which names no program', (text) => {
    expect(() => splitCommand(text)).toThrow('names no program');
  });
});
