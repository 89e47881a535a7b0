import { join } from 'node:path';
import { z } from 'zod';
import { request } from '../../http.ts';
import { codeOf, FailedError, oneLine } from '../../problem.ts';
import { CONTROL } from './links.ts';

const TIMEOUT = 5000;

export const stateSchema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  writesInFlight: z.number(),
  // One that an earlier release of the deployer started does not say.
  writesAt: z.record(z.string(), z.number()).default({}),
  held: z.number(),
});

/** The process is not there, or ended before it answered. */
class Unreachable extends Error {
  override name = 'Unreachable';
}

/** Ways to ask whoever holds writes in a run directory, and says how it is by this schema. */
export function asking<State>(schema: z.ZodType<State>) {
  /**
   * Null: no such hold is in force, and nothing was done.
   * Throws `Unreachable`, and a `FailedError` for every other answer than 200 and 409.
   */
  async function ask(directory: string, path: string, body?: object): Promise<State | null> {
    const { status, text } = await send(join(directory, CONTROL), path, body);
    if (status === 409) return null;
    if (status !== 200)
      throw new FailedError(`the sluice answered ${path} with ${status}: ${oneLine(text, 200)}`);
    return schema.parse(JSON.parse(text));
  }

  /** The state of one that is there, else null. */
  const look = (directory: string) => ask(directory, '/state').catch(ifUnreachable(null));

  return { ask, look };
}

export const { ask, look } = asking(stateSchema);

export function ifUnreachable<T>(value: T) {
  return whenUnreachable(() => value);
}

export function whenUnreachable<T>(then: (error: Unreachable) => T) {
  return (error: unknown): T => {
    if (error instanceof Unreachable) return then(error);
    throw error;
  };
}

/** It is we who cannot ask: that says nothing about whom we would have asked. */
export const lacksFiles = (error: unknown): boolean => ['EMFILE', 'ENFILE'].includes(codeOf(error) ?? '');

const isOurs = (error: Error) => error instanceof FailedError || lacksFiles(error);

function send(socketPath: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method: body ? 'POST' : 'GET', agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', (error) => reject(new Unreachable(oneLine(error))));
    });
    const timer = setTimeout(
      () => call.destroy(new FailedError(`the sluice did not answer ${path} within ${TIMEOUT / 1000} s`)),
      TIMEOUT,
    );
    call.on('close', () => clearTimeout(timer));
    call.on('error', (error) => reject(isOurs(error) ? error : new Unreachable(oneLine(error))));
    call.end(body && JSON.stringify(body));
  });
}
