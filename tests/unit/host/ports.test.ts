import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assertFree, parseListen } from '../../../deployer/host/ports.ts';

describe('parseListen', () => {
  test.each([
    ['127.0.0.1:8000', { host: '127.0.0.1', port: 8000 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('reads %s', (listen, parts) => {
    expect(parseListen(listen)).toEqual(parts);
  });

  test.each(['8000', 'a:', ':1', '::1:80', 'a:65536', '[x]:1'])('refuses %s', (listen) => {
    expect(() => parseListen(listen)).toThrow('expected host:port');
  });
});

describe('assertFree', () => {
  test('passes for a free port and names one that is in use', async () => {
    await assertFree('127.0.0.1:0');
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const listen = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    await expect(assertFree(listen)).rejects.toThrow(`${listen} is in use by another program`);
  });

  test('says why nobody can listen there', async () => {
    await expect(assertFree('192.0.2.1:80')).rejects.toThrow(
      '192.0.2.1:80 is not an address of this machine',
    );
    await expect(assertFree('nonsense')).rejects.toThrow('is no address to listen on');
  });
});
