import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveWeb } from './serve.ts';
import type { Served } from './serve.ts';

let web: Served;
beforeEach(async () => {
  web = await serveWeb();
  web.operations.addDeployment({ id: 'd1' });
});
afterEach(() => web.close());

const events = { accept: 'text/event-stream' };

/** Everything that a stream says until its end. */
async function whole(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(web.url + path, { headers: { ...events, ...headers } });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  return response.text();
}

async function isListenedTo(): Promise<void> {
  await expect.poll(() => web.operations.listeners).toBe(1);
}

describe('a deployment as events', () => {
  it('tells it as it is, each change, and its end', async () => {
    const told = whole('/api/deployments/d1');
    await isListenedTo();
    web.operations.stage('d1', 'fetch', 'running', null);
    web.operations.stage('d1', 'fetch', 'done', 12);
    web.operations.finish('d1', 'deployed');
    const names = [...(await told).matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    expect(names[0]).toBe('deployment');
    expect(names.at(-1)).toBe('end');
    expect(names.length).toBeGreaterThanOrEqual(3);
    expect(await told).toContain('"outcome":"deployed"');
  });

  it('ends at once when the deployment has its outcome', async () => {
    web.operations.finish('d1', 'rejected', 'verify failed');
    const told = await whole('/api/deployments/d1');
    expect(told.match(/^event: /gm)).toHaveLength(1);
    expect(told).toMatch(/^event: end\ndata: \{.*"outcome":"rejected".*\}\n\n$/);
    await expect.poll(() => web.operations.listeners).toBe(0);
  });

  it('stops listening when the client goes away', async () => {
    const leaving = new AbortController();
    const response = await fetch(`${web.url}/api/deployments/d1`, {
      headers: events,
      signal: leaving.signal,
    });
    expect(response.status).toBe(200);
    await isListenedTo();
    leaving.abort();
    await expect.poll(() => web.operations.listeners).toBe(0);
    expect(web.logged).toEqual([]);
  });

  it('is a problem when the deployment is unknown', async () => {
    const response = await fetch(`${web.url}/api/deployments/nope`, { headers: events });
    expect(response.status).toBe(404);
  });
});

describe('a log as events', () => {
  it('sends each line as it comes, numbered, and the outcome at the end', async () => {
    web.operations.addLine('d1', 'first');
    const told = whole('/api/deployments/d1/log');
    await isListenedTo();
    web.operations.addLine('d1', 'second');
    web.operations.finish('d1', 'rolled_back');
    expect(await told).toBe('id: 1\ndata: first\n\nid: 2\ndata: second\n\nevent: end\ndata: rolled_back\n\n');
  });

  it('goes on after the line that a reader saw last', async () => {
    for (const line of ['first', 'second', 'third']) web.operations.addLine('d1', line);
    web.operations.finish('d1', 'deployed');
    const told = await whole('/api/deployments/d1/log', { 'last-event-id': '2' });
    expect(told).toBe('id: 3\ndata: third\n\nevent: end\ndata: deployed\n\n');
  });

  it('cannot be made to tell another event by what a line holds', async () => {
    web.operations.addLine('d1', 'x\n\nevent: end\ndata: deployed\r\revent: end');
    web.operations.finish('d1', 'rejected');
    const told = await whole('/api/deployments/d1/log');
    expect(told.match(/^event: end$/gm)).toHaveLength(1);
    expect(told.trimEnd().endsWith('data: rejected')).toBe(true);
  });
});
