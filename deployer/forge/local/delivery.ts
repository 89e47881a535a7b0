import { createHmac, randomUUID } from 'node:crypto';
import { request as httpRequest } from '../../http.ts';
import { FailedError } from '../../problem.ts';

/**
 * Sends one webhook as GitHub does ("Webhook events and payloads": headers, HMAC-SHA256 over the raw body).
 * A push waits for this: loading `fetch`, or TLS where it is not needed, would take longer than all the rest.
 * @throws FailedError when the answer is not 2xx
 */
export async function deliver(delivery: {
  url: string;
  secret: string;
  event: string;
  payload: unknown;
  signal: AbortSignal;
}): Promise<void> {
  const body = Buffer.from(JSON.stringify(delivery.payload));
  const target = new URL(`${delivery.url.replace(/\/+$/, '')}/webhooks/github`);
  const request = (await requestOf(target.protocol))(target, {
    method: 'POST',
    signal: delivery.signal,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      'User-Agent': 'GitHub-Hookshot/deployer',
      'X-GitHub-Event': delivery.event,
      'X-GitHub-Delivery': randomUUID(),
      'X-GitHub-Hook-ID': '1',
      'X-GitHub-Hook-Installation-Target-Type': 'repository',
      'X-GitHub-Hook-Installation-Target-ID': '1',
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', delivery.secret).update(body).digest('hex')}`,
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request.once('error', reject);
  request.once('response', (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  request.end(body);
  const status = await promise;
  if (status < 200 || status > 299) throw new FailedError(`it answered ${status}`);
}

async function requestOf(protocol: string): Promise<typeof httpRequest> {
  return protocol === 'https:' ? (await import('node:https')).request : httpRequest;
}
