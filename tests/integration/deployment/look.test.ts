import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeSeen } from '../../../deployer/deployment/expectations/judge.ts';
import { look } from '../../../deployer/deployment/expectations/look.ts';
import { trailersOf } from '../../../deployer/deployment/expectations/trailer.ts';

const BIG = 3 * 1024 ** 2;

describe('a look at a page', () => {
  let directory: string;
  let server: Server;
  let asked: string[];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'look-'));
    asked = [];
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.host}`);
      if (request.url === '/breaks') response.write('half', () => response.destroy());
      else if (request.url === '/moved') response.writeHead(302, { location: 'http://other/' }).end('Beta');
      else if (request.url === '/big') response.end(`${'x'.repeat(BIG)}the end`);
      else if (request.url !== '/hangs') response.end('<p>Ham &amp; eggs</p>');
    });
    await new Promise<void>((resolve) => server.listen(join(directory, 's'), resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  });

  const check = async (line: string, timeoutMs = 5000) => {
    const [trailer] = trailersOf(line);
    if (!trailer || !('expectation' in trailer)) throw new Error('no expectation');
    const { method, path } = trailer.expectation;
    const signal = new AbortController().signal;
    const seen = await look({
      socket: join(directory, 's'),
      host: 'example.org',
      method,
      path,
      timeoutMs,
      signal,
    });
    return judgeSeen({ ...trailer, commit: 'a'.repeat(40) }, seen);
  };

  it('asks as a visitor of the environment would, and only what it was told to', async () => {
    expect(await check('Expect: GET /menu?a=1 contains "eggs"')).toMatchObject({
      success: true,
      actual: 'gave 200 with it',
    });
    expect(asked.at(-1)).toBe('GET /menu?a=1 example.org');
    expect(await check('Expect: HEAD /menu')).toMatchObject({ success: true });
    expect(asked.at(-1)).toBe('HEAD /menu example.org');
  });

  it('does not follow redirects', async () => {
    const before = asked.length;
    expect(await check('Expect: GET /moved contains "eggs"')).toMatchObject({
      success: false,
      actual: 'gave 302 to http://other/',
    });
    expect(await check('Expect: GET /moved status 302 contains "Beta"')).toMatchObject({ success: true });
    expect(asked).toHaveLength(before + 2);
  });

  it('says how the page has a text that HTML escapes', async () => {
    expect(await check('Expect: GET / contains "Ham & eggs"')).toMatchObject({
      success: false,
      hint: 'commit aaaaaaaa expects this; the page has it as "Ham &amp; eggs"',
    });
  });

  it('reads 2 MB, and neither finds nor denies a text beyond them', async () => {
    const beyond = { success: false, actual: 'gave 200 without it in its first 2 MB' };
    expect(await check('Expect: GET /big contains "the end"')).toMatchObject(beyond);
    expect(await check('Expect-Gone: GET /big contains "the end"')).toMatchObject(beyond);
  });

  it('gives up on what does not answer, or not to the end', async () => {
    expect(await check('Expect: GET /hangs', 100)).toMatchObject({
      success: false,
      actual: 'did not answer within 0.1 s',
    });
    expect(await check('Expect: GET /breaks')).toMatchObject({
      success: false,
      actual: 'broke off in the middle of the body',
    });
  });
});
