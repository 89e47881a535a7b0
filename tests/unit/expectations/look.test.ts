import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { look } from '../../../deployer/deployment/expectations/look.ts';
import { scratch } from '../../integration/release/fixture.ts';

it('a page is asked for with what is left of the time, whatever fraction that is', async () => {
  const socket = join(await scratch(), 's.sock');
  const server = createServer((_request, response) => response.end('here')).listen(socket);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { signal } = new AbortController();
  const page = { socket, host: 'a.example', method: 'GET', path: '/', signal };
  expect(await look({ ...page, timeoutMs: 9_999.984_787 })).toMatchObject({ status: 200, whole: true });
});
