import { request } from '../http.ts';

/**
 * `PUT /_deploy/mode` of contract section 4, on an instance's own socket. Never throws.
 * @returns the status of the answer; null: none in time
 */
export function putMode(socketPath: string, readOnly: boolean, timeoutMs: number): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const body = JSON.stringify({ deployment_mode: readOnly });
  const headers = {
    host: 'localhost',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const options = { socketPath, method: 'PUT', path: '/_deploy/mode', headers, agent: false as const };
  const asked = request(options, (response) => {
    response.resume().once('close', () => resolve(response.statusCode ?? null));
  });
  asked.once('error', () => resolve(null));
  const deadline = setTimeout(() => asked.destroy(new Error('timed out')), timeoutMs);
  asked.once('close', () => clearTimeout(deadline));
  asked.end(body);
  return promise;
}
