import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { verify } from '@octokit/webhooks-methods';
import { describe, expect, it, onTestFinished } from 'vitest';
import { installHook } from '../../../deployer/forge/local/origin.ts';
import { main } from '../../../deployer/forge/local/post-receive.ts';
import { pushEvent } from '../../../deployer/forge/local/push-event.ts';
import { Origin, plainGit } from '../release/fixture.ts';
import { developer, forged } from './fixture.ts';

const SECRET = 'it is a secret';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  path: string;
}

/** A deployer that takes webhooks down, or does with them what `answer` says. */
async function listener(answer: number | 'never' = 202): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await buffer(request)).toString('utf8');
    received.push({ headers: request.headers, body, path: request.url ?? '' });
    if (answer !== 'never') response.writeHead(answer).end();
  };
  const server = createServer((request, response) => {
    void take(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, received };
}

async function hooked(url: string): Promise<{ home: string; origin: Origin; clone: string; first: string }> {
  const { home, origin, first } = await forged();
  await writeFile(join(home, 'webhook-secret'), `${SECRET}\n`);
  expect(await installHook({ home, url })).toBe(true);
  const clone = join(home, 'clone');
  await plainGit(['clone', '-q', '--branch=dev', origin.directory, clone]);
  return { home, origin, clone, first };
}

async function commit(clone: string, name: string): Promise<string> {
  await writeFile(join(clone, name), name);
  await developer(clone, 'add', '.');
  await developer(clone, 'commit', '-qm', `Add ${name}`);
  return (await developer(clone, 'rev-parse', 'HEAD')).trim();
}

async function runHook(home: string, url: string, lines: string): Promise<string> {
  let said = '';
  await main([home, url], { stdin: Readable.from([lines]), stdout: { write: (text) => (said += text) } });
  return said;
}

describe('a push to the local forge', () => {
  it('is delivered as GitHub would, signed over the raw body, and the pusher is told', async () => {
    const { url, received } = await listener();
    const { clone, first } = await hooked(url);
    const head = await commit(clone, 'ä file');
    const said = await developer(clone, 'push', 'origin', 'HEAD:dev', 'HEAD:refs/tags/v1');
    expect(said).toContain(`remote: deployer: dev → ${url}/`);
    expect(received).toHaveLength(1);
    const [delivery] = received;
    const { headers, body = '' } = delivery ?? {};
    expect(delivery?.path).toBe('/webhooks/github');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-hook-id': '1',
      'x-github-delivery': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'user-agent': expect.stringMatching(/^GitHub-Hookshot\//),
    });
    expect(await verify(SECRET, body, String(headers?.['x-hub-signature-256']))).toBe(true);
    const change = {
      id: head,
      message: 'Add ä file',
      added: ['ä file'],
      modified: [],
      removed: [],
      author: { name: 'A Developer', email: 'developer@example.org' },
    };
    expect(JSON.parse(body)).toMatchObject({
      ref: 'refs/heads/dev',
      before: first,
      after: head,
      created: false,
      deleted: false,
      forced: false,
      base_ref: null,
      commits: [change],
      head_commit: change,
      repository: { id: 1, name: 'origin', full_name: 'local/origin', default_branch: 'main' },
      pusher: { name: expect.any(String) },
      sender: { login: expect.any(String) },
    });
  });

  it('succeeds when the deployer does not run, and says that it will be seen', async () => {
    const { url } = await listener();
    const { clone, origin } = await hooked(url.replace(/\d+$/, '1'));
    const head = await commit(clone, 'x');
    expect(await developer(clone, 'push', 'origin', 'HEAD:dev')).toContain(
      'dev is stored; the deployer does not answer and will see it when it runs',
    );
    expect(await origin.head('dev')).toBe(head);
  });

  it('succeeds when the runtime has moved away', async () => {
    const { clone, home, origin } = await hooked('http://127.0.0.1:1');
    const hook = join(home, 'origin.git', 'hooks', 'post-receive');
    const script = (await readFile(hook, 'utf8')).replace(/^runtime=.*$/m, "runtime='/nowhere/node'");
    await writeFile(hook, script);
    const head = await commit(clone, 'x');
    expect(await developer(clone, 'push', 'origin', 'HEAD:dev')).not.toContain('error');
    expect(await origin.head('dev')).toBe(head);
  });
});

describe('the hook', () => {
  it('is written again for another address, and leaves one of somebody else alone', async () => {
    const { home } = await hooked('http://127.0.0.1:1');
    const hook = join(home, 'origin.git', 'hooks', 'post-receive');
    expect(await installHook({ home, url: "http://127.0.0.1:2/it's" })).toBe(true);
    expect(await readFile(hook, 'utf8')).toContain("'http://127.0.0.1:2/it'\\''s'");
    expect((await stat(hook)).mode & 0o111).toBe(0o111);
    await writeFile(hook, '#!/bin/sh\n# mine\n');
    expect(await installHook({ home, url: 'http://127.0.0.1:3' })).toBe(false);
    expect(await readFile(hook, 'utf8')).toBe('#!/bin/sh\n# mine\n');
  });

  it('tells of each branch, created, forced and deleted, and of nothing else', async () => {
    const { url, received } = await listener();
    const { home, origin, first } = await hooked(url);
    const zero = '0'.repeat(40);
    await origin.git(['update-ref', 'refs/heads/topic', first]);
    const second = await origin.commit('topic', { a: '2\n' });
    const lines = [
      `${zero} ${second} refs/heads/topic`,
      `${second} ${first} refs/heads/dev`,
      `${first} ${zero} refs/heads/gone`,
      `${zero} ${first} refs/heads/same`,
      `${zero} ${first} refs/tags/v1`,
      `${zero} ${first} refs/heads/--upload-pack=x`,
      'rubbish',
    ];
    const said = await runHook(home, url, `${lines.join('\n')}\n`);
    expect(said.trim().split('\n')).toEqual(
      ['topic', 'dev', 'gone', 'same'].map((name) => `deployer: ${name} → ${url}/`),
    );
    expect(received.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      expect.objectContaining({
        created: true,
        forced: false,
        commits: [expect.objectContaining({ id: second })],
      }),
      expect.objectContaining({
        forced: true,
        commits: [],
        head_commit: expect.objectContaining({ id: first }),
      }),
      expect.objectContaining({ deleted: true, after: zero, commits: [], head_commit: null }),
      expect.objectContaining({
        created: true,
        commits: [],
        head_commit: expect.objectContaining({ id: first }),
      }),
    ]);
  });

  it('gives up on a deployer that takes the delivery and never answers', async () => {
    const { url } = await listener('never');
    const { home, first } = await hooked(url);
    const started = performance.now();
    const lines = Array.from({ length: 10 }, (_, number) => `${first} ${first} refs/heads/b${number}\n`);
    const said = await runHook(home, url, lines.join(''));
    expect(said.match(/the deployer does not answer/g)).toHaveLength(10);
    // One after the other would be 30 s.
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('says what the deployer answered, or what it could not read', async () => {
    const { url } = await listener(401);
    const { home, first } = await hooked(url);
    const line = `${first} ${first} refs/heads/dev\n`;
    expect(await runHook(home, url, line)).toContain('at its next look (it answered 401)');
    expect(await runHook(join(home, 'nowhere'), url, line)).toContain('at its next look (ENOENT');
  });

  it('tells of at most the newest hundred commits', async () => {
    const { home, origin, first } = await hooked('http://127.0.0.1:1');
    await mkdir(join(home, 'many'));
    let parent = first;
    const tree = await origin.treeOf(first);
    for (let count = 0; count < 105; count += 1) {
      parent = await origin.git(['commit-tree', '-p', parent, '-m', `Commit ${count}`, tree]);
    }
    const event = await pushEvent(origin.directory, { branch: 'dev', before: first, after: parent });
    expect(event).toMatchObject({ after: parent, head_commit: { id: parent, message: 'Commit 104' } });
    expect('commits' in event && Array.isArray(event.commits) && event.commits.length).toBe(100);
  });
});
