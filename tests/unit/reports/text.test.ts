import { inspect } from 'node:util';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { lastLines } from '../../../deployer/deployment/last-lines.ts';
import { block, code } from '../../../deployer/deployment/reports/markdown.ts';
import { createRedaction } from '../../../deployer/redaction.ts';

const { redact } = createRedaction();

const HOSTILE = [
  '```\n@everyone <script>alert(1)</script>',
  '`` ` @octocat',
  '````` ~~~\n# a heading',
  '</details></code></pre><img src=x onerror=alert(1)>',
  '[link](javascript:alert(1)) ![](http://evil.example/x.png) #12',
  '\u001b[31mred\u0007\u202e\u2028@team/all',
  '`',
  '   ``` @octocat',
];

describe('what strangers wrote stays text in a comment', () => {
  /** With raw HTML on, as an attacker would like it. */
  const markdown = new MarkdownIt({ html: true });
  const typesOf = (text: string) => markdown.parse(text, {}).map(({ type }) => type);

  it.each(HOSTILE)('as a line of code: %j', (text) => {
    const [open, inline, close] = markdown.parse(`before ${code(text)} after`, {});
    expect([open?.type, close?.type]).toEqual(['paragraph_open', 'paragraph_close']);
    expect(inline?.children?.map(({ type }) => type)).toEqual(['text', 'code_inline', 'text']);
  });

  it.each(HOSTILE)('as a block: %j', (text) => {
    expect(typesOf(`before\n\n${block(['first', text, 'last'], 'text')}\n\nafter`)).toEqual([
      'paragraph_open',
      'inline',
      'paragraph_close',
      'fence',
      'paragraph_open',
      'inline',
      'paragraph_close',
    ]);
  });
});

describe('secrets', () => {
  it.each([
    ['a GitHub token', `ghp_${'a1B2'.repeat(9)}`],
    ['an installation token', `ghs_${'a1B2'.repeat(9)}`],
    ['a fine-grained token', `github_pat_${'a1B2_'.repeat(9)}`],
    ['a bearer token', 'Bearer canary-0123456789'],
    ['a password in an address', 'postgres://alice:canary@db.example/prod'],
    ['a variable', 'DATABASE_PASSWORD=canary'],
    ['a JSON field', '{"api_key": "canary with blanks"}'],
    ['a JSON web token', `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----'],
    ['a private key that was cut off', '-----BEGIN PRIVATE KEY-----\ncanary\ncanary'],
  ])('%s is not shown', (_what, secret) => {
    const text = redact(`before ${secret} after`);
    expect(text).toContain('before ');
    expect(text).toContain('[hidden]');
    expect(text).not.toMatch(/canary|a1B2a1B2|aaaaaaaa/);
  });

  const secret = 'one "quoted" \\ line\nand the second\nno';
  it.each([
    ['as it is', secret],
    ['a line at a time', secret.replace('\n', ' ')],
    ['in JSON', JSON.stringify({ said: secret })],
    ['in JSON within JSON', JSON.stringify({ said: JSON.stringify({ secret }) })],
    ['as the console shows an object', inspect({ secret })],
    ['in an address', `https://example.org/?q=${encodeURIComponent(secret)}`],
  ])('that are known are hidden %s', (_how, text) => {
    const { hide } = createRedaction([secret]);
    expect(hide(text)).toContain('[hidden]');
    expect(hide(text)).not.toMatch(/quoted|second/);
  });

  it('that are known are taken out of JSON without breaking it', () => {
    const { know, hide } = createRedaction();
    know([secret]);
    expect(JSON.parse(hide(JSON.stringify({ secret, rest: 1 })))).toEqual({ secret: '[hidden]', rest: 1 });
  });

  it('leave everything else as it is', () => {
    const text = 'routes: GET /doc/all/ gave 500, expected 200 (app/routes.ts:12) at https://example.org/a';
    expect(redact(text)).toBe(text);
  });
});

it('the last lines of an instance have neither control characters, secrets, nor paths of this machine', () => {
  const written = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  const said = [...written, '\u001b[31mtoken=canary\u001b[0m', 'at /srv/releases/abc/app.ts:1', '', ''];
  const lines = lastLines(said.join('\n'), '/srv/releases/abc', redact);
  expect(lines).toHaveLength(30);
  expect(lines.slice(-3)).toEqual(['line 99', '[31mtoken=[hidden]', 'at app.ts:1']);
});
