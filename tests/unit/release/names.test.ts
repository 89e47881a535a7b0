import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  isBranchName,
  isObjectId,
  isTagName,
  isTreePath,
  protocolOf,
} from '../../../deployer/release/names.ts';

const PARTS = [
  'main',
  'feature',
  'v1',
  'ä',
  '-',
  '--upload-pack=touch',
  '.',
  '..',
  '.git',
  'x.lock',
  '@',
  '@{',
  '@{-1}',
  '~',
  '^',
  ':',
  '?',
  '*',
  '[',
  '\\',
  ' ',
  '\t',
  '\u007f',
  '',
  'HEAD',
  '$(id)',
  ';ls',
  'a.',
  '\u202e',
  'refs',
];
const HOSTILE = PARTS.flatMap((a) => PARTS.flatMap((b) => [`${a}/${b}`, `${a}${b}`])).filter(
  (_, index) => index % 3 === 0,
);

describe('names from outside', () => {
  it('are judged as git itself judges them', () => {
    const names = [...new Set([...HOSTILE, ...PARTS])].filter((name) => !/[\n\0]/.test(name));
    const script =
      'while IFS= read -r n; do git check-ref-format "refs/heads/$n" && echo yes || echo no; done';
    const git = execFileSync('sh', ['-c', script], { input: `${names.join('\n')}\n`, encoding: 'utf8' });
    const expected = git.trim().split('\n');
    expect(names.length).toBeGreaterThan(500);
    const wrong = names.filter(
      (name, index) =>
        isBranchName(name) !== (expected[index] === 'yes' && !name.startsWith('-') && name !== 'HEAD'),
    );
    expect(wrong).toEqual([]);
  });

  it('may not begin with a dash, be HEAD, or hold a line break', () => {
    const bad = ['--upload-pack=touch x', '--upload-pack=x', '-b', 'HEAD', 'a\nb', 'a\0b', ''];
    expect(bad.filter(isBranchName)).toEqual([]);
    expect(['-d', '', 'a..b', 'v1.lock'].filter(isTagName)).toEqual([]);
    expect(isTagName('v2026.11.20-2')).toBe(true);
  });

  it('are object ids only in full and in lower case', () => {
    const id = 'a'.repeat(40);
    expect([id, 'b'.repeat(64)].every(isObjectId)).toBe(true);
    expect(
      [id.slice(1), id.toUpperCase(), `${id}\n`, `-${id}`, `${id}^{tree}`, 'HEAD'].filter(isObjectId),
    ).toEqual([]);
  });

  it('are paths in a tree only without steps up and line breaks', () => {
    expect(['a', 'environments/dev.yaml'].every(isTreePath)).toBe(true);
    expect(['', '/a', 'a/', '../a', 'a/../b', './a', 'a\nb', 'a\0'].filter(isTreePath)).toEqual([]);
  });
});

describe('the address of a forge', () => {
  it('says the one protocol that git may speak', () => {
    expect(protocolOf('/srv/origin.git')).toBe('file');
    expect(protocolOf('https://github.com/owner/name.git')).toBe('https');
    expect(protocolOf('http://127.0.0.1:3000/owner/name.git')).toBe('http');
  });

  it('is nothing that git could execute or read elsewhere', () => {
    const schemes = [
      'ext::',
      'ext::sh -c id ',
      'fd::7',
      'file://',
      'ssh://',
      'git://',
      'git+ssh://',
      'ftp://',
      'HTTPS://',
    ];
    const rest = ['sh -c "touch x"', '-oProxyCommand=touch x/y', 'host/path', '%2e%2e/x', '--upload-pack=x'];
    const urls = schemes.flatMap((scheme) => rest.map((tail) => scheme + tail));
    const more = [
      'git@host:owner/name',
      '-oProxyCommand=x',
      '--upload-pack=x',
      '',
      'origin',
      'https://-x/y',
      'https:// x',
    ];
    expect([...urls, ...more, ...rest].filter((url) => protocolOf(url) !== null)).toEqual([]);
  });
});
