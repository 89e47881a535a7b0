import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { freshData } from './site.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const bare = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };

function start(env: Record<string, string>): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['app/server.ts'], {
    cwd: root,
    env: { ...bare, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function get(socketPath: string, address: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: address, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    })
      .once('error', reject)
      .end();
  });
}

async function whenHealthy(socket: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const status = await get(socket, '/_deploy/health').catch(() => 0);
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the server did not become healthy');
}

describe('the server as a process', () => {
  it('serves on a Unix socket, though one was left behind, and ends with 0 on SIGTERM', async () => {
    const { directory, file, remove } = await freshData();
    const socket = path.join(directory, 'live.sock');
    writeFileSync(socket, 'left behind');
    const child = start({ LISTEN: socket, ENVIRONMENT: 'dev', DATABASE_FILE: file, FILES_DIR: directory });
    try {
      await whenHealthy(socket);
      expect(await get(socket, '/', { 'x-forwarded-for': '203.0.113.7' })).toBe(200);
    } finally {
      child.kill('SIGTERM');
    }
    const code: unknown = (await once(child, 'exit'))[0];
    expect(code).toBe(0);
    remove();
  });

  it('names a missing setting in one line and ends with 2', async () => {
    const child = start({ LISTEN: '127.0.0.1:0', ENVIRONMENT: 'dev' });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(code).toBe(2);
    expect(said).toBe('datatracker: DATABASE_FILE is not set\n');
  });

  it('never says what a malformed setting holds', async () => {
    const child = start({
      LISTEN: '127.0.0.1:0',
      ENVIRONMENT: 'dev',
      DATABASE_FILE: 'x',
      FILES_DIR: 'x',
      RELOAD_TOKEN: 'short-secret',
    });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(code).toBe(2);
    expect(said).toMatch(/^datatracker: RELOAD_TOKEN is malformed/);
    expect(said).not.toContain('short-secret');
  });
});
