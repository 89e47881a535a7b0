import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TOKEN, serveWeb } from './serve.ts';
import type { Served } from './serve.ts';

let web: Served;
beforeEach(async () => {
  web = await serveWeb();
  web.operations.addEnvironment('dev');
});
afterEach(() => web.close());

/** `fetch` does not let a test say what host it means. */
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    body: string;
    challenge: string | undefined;
  }>();
  const outgoing = request(web.url + path, { method, headers, agent: false }, (response) => {
    const status = response.statusCode ?? 0;
    const challenge = response.headers['www-authenticate'];
    text(response).then((body) => resolve({ status, body, challenge }), reject);
  });
  outgoing.on('error', reject).end();
  return promise;
}

const bearer = { authorization: `Bearer ${TOKEN}` };
const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`,
});

describe('changing', () => {
  const path = '/api/environments/dev/deployments';

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer not-the-token-at-all' }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['a part of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['the token as a password, which a browser sends by itself', basic(TOKEN)],
  ])('is refused with %s', async (_name, headers) => {
    const answer = await ask(path, headers, 'POST');
    expect(answer.status).toBe(401);
    expect(answer.challenge).toMatch(/^Bearer/);
    expect(answer.body).not.toContain(TOKEN);
    expect(web.operations.asked).toEqual([]);
  });

  it('is allowed with the token, from wherever it comes', async () => {
    expect((await ask(path, { ...bearer, 'x-forwarded-for': '192.0.2.1' }, 'POST')).status).toBe(202);
  });
});

describe.each(['/', '/api/environments', '/metrics', '/api/openapi.json'])('reading %s', (path) => {
  it.each(['localhost', '127.0.0.1:1234', '[::1]:9000', 'deployer.example'])(
    'needs no token on loopback as %s',
    async (host) => {
      expect((await ask(path, { host })).status).toBe(200);
    },
  );

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:9000', '@', '192.168.0.1'])(
    'is refused to a page whose name was re-bound to this machine: %s',
    async (host) => {
      expect((await ask(path, { host })).status).toBe(403);
      expect((await ask(path, { host, ...bearer })).status).toBe(200);
    },
  );

  it.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])(
    'needs the token when a proxy asks for somebody else (%s)',
    async (header) => {
      const answer = await ask(path, { [header]: '127.0.0.1' });
      expect(answer.status).toBe(401);
      expect(answer.challenge).toContain('Basic');
      expect((await ask(path, { [header]: '127.0.0.1', ...bearer })).status).toBe(200);
      expect((await ask(path, { [header]: '127.0.0.1', ...basic(TOKEN) })).status).toBe(200);
      expect((await ask(path, { [header]: '127.0.0.1', ...basic('wrong') })).status).toBe(401);
    },
  );
});

describe('health', () => {
  it('is told to everybody, but not why it is not ready', async () => {
    web.operations.ready = { ready: false, reasons: ['prod is being recovered'] };
    const stranger = { 'x-forwarded-for': '192.0.2.1' };
    expect((await ask('/healthz', stranger)).status).toBe(200);
    const answer = await ask('/readyz', stranger);
    expect(answer.status).toBe(503);
    expect(answer.body).not.toContain('prod');
    expect((await ask('/readyz')).body).toContain('prod is being recovered');
    web.operations.ready = { ready: true, reasons: [] };
    expect((await ask('/readyz')).status).toBe(200);
  });
});
