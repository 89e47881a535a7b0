import { describe, expect, it } from 'vitest';
import { nearest } from '../../../deployer/cli/nearest.ts';
import { EXIT_CODES, toJson } from '../../../deployer/cli/outcome.ts';
import { createPaint } from '../../../deployer/cli/text/paint.ts';
import { printable } from '../../../deployer/cli/text/printable.ts';
import { table } from '../../../deployer/cli/text/table.ts';
import { UnreachableError } from '../../../deployer/cli/failure.ts';
import { lasting } from '../../../deployer/cli/wait.ts';
import type { Client } from '../../../deployer/cli/client.ts';

it('a slip of the hand finds the nearest word, and another word none', () => {
  expect(nearest('depoly', ['deploy', 'rollback'])).toBe('deploy');
  expect(nearest('stats', ['start', 'status'])).toBe('status');
  expect(nearest('frobnicate', ['deploy', 'rollback'])).toBeNull();
  expect(nearest('xy', ['ab'])).toBeNull();
});

it('exit codes are those of the contract', () => {
  expect(EXIT_CODES).toEqual({
    deployed: 0,
    ok: 0,
    rejected: 1,
    rolled_back: 1,
    failed: 1,
    refused: 3,
    superseded: 4,
    needs_attention: 5,
  });
});

it('a result is one line of JSON', () => {
  const line = toJson({ outcome: 'superseded', details: { cause: 'a\nb' }, text: 'x' });
  expect(line).toBe('{"success":false,"outcome":"superseded","details":{"cause":"a\\nb"}}\n');
});

describe('a table', () => {
  it('lines up, whatever colours are in it', () => {
    const text = table(
      ['name', 'state'],
      [
        ['\u001B[31mab\u001B[39m', 'x'],
        ['abcdef', ''],
      ],
    );
    expect(text.split('\n')).toEqual(['name    state', '\u001B[31mab\u001B[39m      x', 'abcdef']);
  });
});

it('text keeps its lines and tabs, and loses what steers a terminal', () => {
  expect(printable('a\tb\nc\u001B[2J\r\u0007\u009B\u202Ed\u2066')).toBe('a\tb\nc[2Jd');
});

describe('colours', () => {
  const output = (isTTY: boolean) => ({ isTTY, write: () => true });
  it('are for terminals, and not where they are unwelcome', () => {
    expect(createPaint({ env: {} }, output(true)).outcome('rejected')).toBe('\u001B[31mrejected\u001B[39m');
    expect(createPaint({ env: {} }, output(false)).outcome(null)).toBe('running');
    expect(createPaint({ env: { NO_COLOR: '1' } }, output(true)).good('x')).toBe('x');
    expect(createPaint({ env: { TERM: 'dumb' } }, output(true)).good('x')).toBe('x');
  });
});

describe('a stream that is lost', () => {
  it('is given up when the daemon stays away for longer than patience', async () => {
    let asked = 0;
    const lost: Pick<Client, 'events'> = {
      events: async () => {
        asked += 1;
        throw new UnreachableError('gone', 'there', 'wait');
      },
    };
    const { signal } = new AbortController();
    const reading = (async () => {
      for await (const event of lasting(lost, '/x', { signal, patienceMs: 1 })) expect(event).toBeUndefined();
    })();
    await expect(reading).rejects.toThrow('gone');
    expect(asked).toBeGreaterThan(1);
  });
});
