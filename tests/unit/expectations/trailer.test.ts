import { describe, expect, it } from 'vitest';
import { trailersOf } from '../../../deployer/deployment/expectations/trailer.ts';

const only = (line: string) => trailersOf(`Subject\n\n${line}\n`)[0];

describe('a trailer', () => {
  it.each([
    ['Expect: GET /', { method: 'GET', path: '/', status: [200], text: null, gone: false }],
    [
      'Expect: GET /doc/all/ contains "ML-001"',
      { method: 'GET', path: '/doc/all/', status: [200], text: 'ML-001', gone: false },
    ],
    [
      'expect:  HEAD  /x?a=1&b=%20  status 404 ',
      { method: 'HEAD', path: '/x?a=1&b=%20', status: [404], text: null, gone: false },
    ],
    [
      'Expect: GET /x status 404 contains "Not \\"here\\" \\u00e9"',
      { method: 'GET', path: '/x', status: [404], text: 'Not "here" é', gone: false },
    ],
    [
      'Expect-Gone: GET / contains "Beta"',
      { method: 'GET', path: '/', status: [200], text: 'Beta', gone: true },
    ],
    ['Expect-Gone: GET /old', { method: 'GET', path: '/old', status: [404, 410], text: null, gone: false }],
  ])('%s is understood', (line, expectation) => {
    expect(only(line)).toMatchObject({ expectation });
  });

  it.each([
    ['Expect:', /begins with nothing, not with GET or HEAD/],
    ['Expect: less noise', /begins with "less"/],
    ['Expect: POST /', /begins with "POST"/],
    ['Expect: GET http://other/', /"http:\/\/other\/" is no path/],
    ['Expect: GET //other/', /is no path/],
    ['Expect: GET', /nothing is no path/],
    ['Expect: GET /a#b', /is no path/],
    ['Expect: GET /é', /is no path: .*percent-encoded/],
    ['Expect: GET / contains ML-001', /neither status 200 nor contains "text"/],
    ['Expect: GET / contains "a" and "b"', /neither status/],
    ['Expect: GET / status 99', /neither status/],
    ['Expect: GET / contains ""', /text between the quotes is empty/],
    ['Expect: GET / contains "\\x"', /not quoted as in JSON/],
    ['Expect: HEAD / contains "x"', /HEAD has no body/],
  ])('%s says what is wrong with it', (line, problem) => {
    expect(only(line)).toMatchObject({ problem: expect.stringMatching(problem) as string });
  });

  it('of more than 2000 characters is not read', () => {
    const problem = 'it has 3013 characters, at most 2000 are read';
    expect(only(`Expect: GET /${'x'.repeat(3000)}`)).toMatchObject({ problem });
  });

  it('is found anywhere in a message, at the beginning of a line alone', () => {
    const message = [
      'Both (#7)',
      '',
      '* Two',
      '',
      'Expect: GET /two',
      '* Three: "Expect: GET /three"',
      '  Expect: GET /indented',
      'Expectation: GET /other',
      'Expect-Gone: GET /four',
    ].join('\r\n');
    expect(trailersOf(message).map(({ line }) => line)).toEqual([
      'Expect: GET /two',
      'Expect-Gone: GET /four',
    ]);
  });

  it('cannot carry control characters into a report, nor a line of its own into a request', () => {
    const [trailer] = trailersOf('S\n\nExpect: GET /\u001b[31m\rX: y');
    expect(trailer).toMatchObject({ problem: expect.stringContaining('is no path') as string });
    expect(JSON.stringify(trailer)).not.toMatch(/[\u0000-\u001f]|\\u001b|\\r/);
  });
});
