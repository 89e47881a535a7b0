import { request } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { FailedError, oneLine } from '../../problem.ts';
import { CONTROL } from './links.ts';

const TIMEOUT = 5000;

const state = z.object({
  listen: z.string(),
  pid: z.number().int().positive(),
  startTime: z.string(),
  requests: z.number(),
  errors: z.number(),
  writesInFlight: z.number(),
  // One that an earlier release of the deployer started does not say.
  writesAt: z.record(z.string(), z.number()).default({}),
  held: z.number(),
});
export type State = z.output<typeof state>;

/** The front door's process is not there, or ended before it answered. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}

/**
 * Asks the front door of a run directory. Null: no such hold is in force, and nothing was done.
 * Throws `Unreachable`, and a `FailedError` for every other answer than 200 and 409.
 */
export async function ask(directory: string, path: string, body?: object): Promise<State | null> {
  const { status, text } = await send(join(directory, CONTROL), path, body);
  if (status === 409) return null;
  if (status !== 200)
    throw new FailedError(`the front door answered ${path} with ${status}: ${oneLine(text, 200)}`);
  return state.parse(JSON.parse(text));
}

/** The state of a front door that is there, else null. */
export async function look(directory: string): Promise<State | null> {
  try {
    return await ask(directory, '/state');
  } catch (error) {
    if (error instanceof Unreachable) return null;
    throw error;
  }
}

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
      () => call.destroy(new FailedError(`the front door did not answer ${path} within ${TIMEOUT / 1000} s`)),
      TIMEOUT,
    );
    call.on('close', () => clearTimeout(timer));
    call.on('error', (error) =>
      reject(error instanceof FailedError ? error : new Unreachable(oneLine(error))),
    );
    call.end(body && JSON.stringify(body));
  });
}
