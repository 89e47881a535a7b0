import { expect, test } from 'vitest';
import { Selection } from '../../../verify/crawl.ts';
import { decode, fragmentsOf, linksOf, textOf, visibleText } from '../../../verify/page.ts';
import { fill } from '../../../verify/samples.ts';

test('links are anchors, assets and GET forms, in the order of the page', () => {
  const html = `<link rel="stylesheet" href=/a.css><link rel="alternate" href="/feed/"><script src='/a.js'></script>
    <a href="/x/?a=1&amp;b=2#c">x</a><a name="no-link">y</a><img src="/i.png" alt=""><iframe src="/f/"></iframe>
    <form method="post" action="/write/"></form>
    <form action="/find/"><input name="q" value="&quot;"><input type="checkbox" name="off"><input type="submit"></form>`;
  expect(linksOf(html)).toEqual([
    { href: '/a.css', kind: 'asset' },
    { href: '/feed/', kind: 'page' },
    { href: '/a.js', kind: 'asset' },
    { href: '/x/?a=1&b=2#c', kind: 'page' },
    { href: '/i.png', kind: 'asset' },
    { href: '/f/', kind: 'page' },
    { href: '/find/?q=%22', kind: 'page' },
  ]);
});

test('text is read as a visitor reads it', () => {
  expect(visibleText('<p>A&nbsp;&amp;&#32;&#x42;</p><script>no()</script>\n <b>c</b> &unknown;')).toBe(
    'A & B c &unknown;',
  );
  expect(textOf('<title>\n A </title>', 'title')).toBe('A');
  expect(textOf('<p>', 'title')).toBeNull();
  expect(decode('&lt;&gt;&apos;')).toBe("<>'");
});

test('a fragment leads to an id or a name', () => {
  expect([...fragmentsOf('<a name="b"></a><p class="x" id="a">')].sort()).toEqual(['a', 'b', 'top']);
});

test('parameters are put into a path escaped, and one without a value is an error', () => {
  expect(fill('/doc/:name/{:rev/}', { name: 'a/b', rev: '01' })).toBe('/doc/a%2Fb/01/');
  expect(() => fill('/doc/:name/', {})).toThrow('no sample gives a value for :name');
});

test('the crawl follows each address once and at most three of a kind', () => {
  const selection = new Selection();
  const found = (path: string) => ({ target: new URL(path, 'http://x'), kind: 'page' as const, on: '/' });
  const drafts = ['a', 'a', 'b', 'c', 'd', 'e'].map((name) => found(`/doc/draft/draft-${name}/`));
  expect(selection.choose(drafts).map(({ target }) => target.pathname)).toEqual(
    ['a', 'b', 'c'].map((name) => `/doc/draft/draft-${name}/`),
  );
  expect(selection.choose([found('/doc/draft/draft-e/history/'), found('/group/x/')])).toHaveLength(2);
  expect(selection.pages).toBe(5);
});
