import { describe, expect, it } from 'vitest';
import { hashPassword, verifyPassword } from '../../../app/accounts/password.ts';
import { readingOrder } from '../../../app/comments/thread.ts';
import { fullTextQuery } from '../../../app/database/sqlite.ts';
import { formatNumber, parseNumber } from '../../../app/documents/state.ts';
import { cookieName, parseCookies, setCookie } from '../../../app/http/cookies.ts';
import { localPath } from '../../../app/http/local-path.ts';
import { renderMarkdown } from '../../../app/pages/markdown.ts';
import { parseAddress, readSettings } from '../../../app/settings.ts';
import { parseAuthors } from '../../../app/submissions/authors.ts';
import { checkText } from '../../../app/submissions/check-text.ts';
import { nameProblem, nextRevision } from '../../../app/submissions/name.ts';

describe('an ML number', () => {
  it.each([
    [1, 'ML-001'],
    [999, 'ML-999'],
    [1000, 'ML-1000'],
  ])('%d is shown as %s', (number, shown) => {
    expect(formatNumber(number)).toBe(shown);
    expect(parseNumber(shown)).toBe(number);
  });

  it.each([
    ['ml-0001', 1],
    ['ML7', 7],
    [' ML-042 ', 42],
    ['ml-0', null],
    ['ml-', null],
    ['ml-1a', null],
    ['draft-ml-1', null],
  ])('is read from %j as %j', (text, number) => {
    expect(parseNumber(text)).toBe(number);
  });
});

describe('a name of a draft', () => {
  it.each(['draft-a-b', 'draft-mltf-trust-claims-2', `draft-a-${'x'.repeat(42)}`])('may be %s', (name) => {
    expect(nameProblem(name)).toBeNull();
  });

  it.each([
    'draft-a',
    'Draft-a-b',
    'draft-1a-b',
    'draft-a_b-c',
    'draft-a-b-',
    'draft-a--b',
    'draft-ä-b',
    'draft-a-b\n',
    `draft-a-${'x'.repeat(43)}`,
  ])('may not be %j', (name) => {
    expect(nameProblem(name)).not.toBeNull();
  });

  it('is followed by revisions 00 to 99', () => {
    expect([null, '00', '09', '98', '99'].map(nextRevision)).toEqual(['00', '01', '10', '99', null]);
  });
});

describe('the way after logging in', () => {
  it.each(['/', '/doc/all/?q=a%2Fb', '/a/../b'])('may be %s', (text) => {
    expect(localPath(text)).toMatch(/^\/(?!\/)/);
    expect(localPath('/doc/all/?q=a%2Fb')).toBe('/doc/all/?q=a%2Fb');
  });

  it.each([
    null,
    '',
    'doc',
    '//evil',
    '/\\evil',
    '/\t/evil',
    '\\\\evil',
    'https://evil',
    '/x\r\nSet-Cookie: a=b',
    '/.//evil',
  ])('is the start page instead of %j', (text) => {
    expect(localPath(text)).toBe('/');
  });
});

describe('a full-text query', () => {
  it('is made of quoted words, the last one as a beginning', () => {
    expect(fullTextQuery('signed cl')).toBe('"signed" "cl"*');
    expect(fullTextQuery('NEAR(a) "b* title:c')).toBe('"NEAR" "a" "b" "title" "c"*');
  });

  it('is none when there is no word in it', () => {
    expect(fullTextQuery(' "*() ')).toBeNull();
  });
});

describe('the order of a thread', () => {
  it('puts each comment before its answers, and answers by age', () => {
    const links = [
      { id: 1, parent_id: null },
      { id: 2, parent_id: 1 },
      { id: 3, parent_id: 1 },
      { id: 4, parent_id: 2 },
      { id: 5, parent_id: null },
    ];
    expect(readingOrder(links)).toEqual([1, 2, 4, 3, 5]);
  });

  it('holds for 100,000 answers below each other and beside each other', () => {
    const deep = Array.from({ length: 100_000 }, (_, id) => ({ id, parent_id: id === 0 ? null : id - 1 }));
    const wide = Array.from({ length: 100_000 }, (_, id) => ({ id, parent_id: id === 0 ? null : 0 }));
    expect(readingOrder(deep)).toHaveLength(100_000);
    expect(readingOrder(wide).at(-1)).toBe(99_999);
  });
});

describe('cookies', () => {
  it('are read leniently, and the first of two counts', () => {
    const cookies = parseCookies('a=1; b = 2;a=3; =x; c; d=e=f');
    expect(Object.fromEntries(cookies)).toEqual({ a: '1', b: '2', d: 'e=f' });
    expect(parseCookies(undefined).size).toBe(0);
  });

  it('are tied to this host over HTTPS', () => {
    expect(cookieName('session', true)).toBe('__Host-session');
    expect(setCookie('session', 'x', true, 60)).toBe(
      '__Host-session=x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60',
    );
    expect(setCookie('theme', 'dark', false)).toBe('theme=dark; Path=/; HttpOnly; SameSite=Lax');
  });
});

describe('an address to listen at', () => {
  it.each([
    ['/run/live.sock', { path: '/run/live.sock' }],
    ['live.sock', { path: 'live.sock' }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:8000', { host: '::1', port: 8000 }],
  ])('%s is understood', (listen, address) => {
    expect(parseAddress(listen)).toEqual(address);
  });
});

describe('the settings', () => {
  const needed = { LISTEN: 'x', ENVIRONMENT: 'dev', DATABASE_FILE: 'x', FILES_DIR: 'x' };

  it('know that the instance is live unless they are told otherwise', () => {
    expect(readSettings(needed).DEPLOYMENT_MODE).toBe(false);
    expect(readSettings({ ...needed, DEPLOYMENT_MODE: 'true' }).DEPLOYMENT_MODE).toBe(true);
  });

  it('refuse a mode that is neither true nor false, rather than guess', () => {
    expect(() => readSettings({ ...needed, DEPLOYMENT_MODE: 'yes' })).toThrow(
      /^DEPLOYMENT_MODE is malformed/,
    );
    expect(() => readSettings({})).toThrow('LISTEN is not set');
  });
});

describe('a password', () => {
  it('is recognised, however its accents were typed, and another one is not', async () => {
    const hash = await hashPassword('caf\u00e9 au lait');
    expect(await verifyPassword('cafe\u0301 au lait', hash)).toBe(true);
    expect(await verifyPassword('cafe au lait', hash)).toBe(false);
    expect(await hashPassword('caf\u00e9 au lait')).not.toBe(hash);
  });

  it('never fits an account that does not exist or a hash that is none', async () => {
    expect(await verifyPassword('', null)).toBe(false);
    expect(await verifyPassword('x', '$argon2id$broken')).toBe(false);
  });
});

describe('Markdown', () => {
  it('is rendered below the headings of its page', async () => {
    const headings = async (text: string, first?: number) =>
      String(await renderMarkdown(text, first)).match(/<h\d/g);
    expect(await headings('# a\n\n## b\n\n# c')).toEqual(['<h2', '<h3', '<h2']);
    expect(await headings('### a\n\n###### b\n\n# c', 3)).toEqual(['<h3', '<h4', '<h3']);
  });

  it('keeps links that go where they say, marked as those of strangers', async () => {
    const shown = String(
      await renderMarkdown('[a](https://example.org) [b](/doc/all/) [c](#x) [d](mailto:a@example.org)'),
    );
    expect(shown.match(/<a href=/g)).toHaveLength(4);
    expect(shown).toContain('rel="nofollow ugc noopener"');
  });
});

describe('authors', () => {
  it('are one in a line', () => {
    expect(parseAuthors('Ana Rivera <Ana@Example.org>\n\n Bo <bo@example.org> ')).toEqual([
      { name: 'Ana Rivera', email: 'ana@example.org' },
      { name: 'Bo', email: 'bo@example.org' },
    ]);
  });

  it('are refused with the line that is wrong', () => {
    expect(parseAuthors('Ana <a@example.org>\nBo bo@example.org')).toContain('line 2');
    expect(parseAuthors(' ')).toBe('is required');
    expect(
      parseAuthors(Array.from({ length: 31 }, (_, index) => `A <a${index}@example.org>`).join('\n')),
    ).toContain('30');
  });
});

describe('the checks of a text', () => {
  const check = (format: 'txt' | 'md' | 'xml' | 'pdf', text: string | Buffer) =>
    checkText(format, Buffer.from(text)).map(
      ({ severity, line, message }) => `${severity} ${line} ${message}`,
    );
  const fine = 'Security Considerations\n';

  it('find nothing in a good text', () => {
    expect(check('txt', fine)).toEqual([]);
    expect(check('xml', `<rfc>${fine}</rfc>`)).toEqual([]);
  });

  it('name the line', () => {
    expect(check('txt', `${fine}ok\n${'x'.repeat(121)}`)).toEqual([
      expect.stringMatching(/^warning 3 The line has 121/),
    ]);
    expect(check('txt', `${fine}\u0007`)).toEqual(['error 2 The line holds a control character.']);
    expect(check('xml', 'no markup')[0]).toMatch(/^error 1 This is not an XML/);
    expect(check('txt', Buffer.from([10, 10, 0x80]))).toEqual(['error 3 The text is not UTF-8.']);
    expect(check('txt', Buffer.from([0xc3]))).toEqual(['error 1 The text is not UTF-8.']);
    expect(check('txt', ' \n ')).toEqual(['error null The file is empty.']);
  });

  it('stop listing after fifty, errors first', () => {
    const found = check('txt', `${fine}${`${'x'.repeat(121)}\n`.repeat(80)}\u0001`);
    expect(found).toHaveLength(51);
    expect(found[0]).toMatch(/^error 82/);
    expect(found.at(-1)).toBe('notice null 31 more findings are not listed.');
  });
});
