import { afterEach, beforeEach, expect, it } from 'vitest';
import { emptyDeployment } from './fake-operations.ts';
import { serveWeb } from './serve.ts';
import type { Served } from './serve.ts';

let web: Served;
beforeEach(async () => {
  web = await serveWeb();
});
afterEach(() => web.close());

const scrape = async () => (await fetch(`${web.url}/metrics`)).text();

it('counts finished deployments by outcome, and how long their stages took', async () => {
  const stages = emptyDeployment('d1').stages.map((stage) =>
    stage.name === 'fetch' ? { ...stage, state: 'done' as const, durationMs: 200 } : stage,
  );
  web.metrics.finished({ ...emptyDeployment('d1'), outcome: 'deployed', stages });
  web.metrics.finished(emptyDeployment('still running'));
  const text = await scrape();
  expect(text).toContain('deployer_deployments_total{environment="dev",kind="deploy",outcome="deployed"} 1');
  expect(text).toContain(
    'deployer_stage_duration_seconds_bucket{le="0.25",environment="dev",stage="fetch",state="done"} 1',
  );
  expect(text).not.toContain('still running');
});

it('tells what is live, and forgets what no longer is', async () => {
  web.operations.addEnvironment('dev', { live: { ...emptyDeployment('d1'), commit: 'aaaa' } });
  web.operations.addEnvironment('prod', {
    lock: { reason: 'r', holder: 'h', since: '2026-11-20T12:00:00.000Z' },
  });
  const first = await scrape();
  expect(first).toContain('deployer_live_info{environment="dev",commit="aaaa",tag="",deployment="d1"} 1');
  expect(first).toContain('deployer_locked{environment="prod"} 1');
  web.operations.addEnvironment('dev', { live: { ...emptyDeployment('d2'), commit: 'bbbb', tag: 'v1' } });
  const second = await scrape();
  expect(second).toContain('commit="bbbb",tag="v1"');
  expect(second).not.toContain('aaaa');
});

it('counts the problems that an operator should know', async () => {
  expect(await scrape()).toContain('deployer_problems 0');
  web.operations.problemList = ['GitHub answered 401', 'another'];
  expect(await scrape()).toContain('deployer_problems 2');
});

it('labels requests by route, never by address', async () => {
  await fetch(`${web.url}/api/environments/secret-name`);
  await fetch(`${web.url}/random-path-1`);
  const text = await scrape();
  expect(text).toMatch(
    /deployer_http_request_duration_seconds_count\{method="GET",route="\/api\/environments\/:environment",status="404"\} 1/,
  );
  expect(text).toContain('route="other",status="404"');
  expect(text).not.toMatch(/secret-name|random-path/);
});

it('hands deliveries of the forge to the intake with their body unread', async () => {
  let body = '';
  const other = await serveWeb({
    intake: (request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => response.sendStatus(202));
    },
  });
  const response = await fetch(`${other.url}/webhooks/github`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"ref": ',
  });
  expect(response.status).toBe(202);
  expect(body).toBe('{"ref": ');
  await other.close();
});
