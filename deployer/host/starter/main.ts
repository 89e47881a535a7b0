import { FailedError } from '../../problem.ts';
import { runCommandHere } from '../command.ts';
import { executeHere } from '../execute.ts';
import { startHere } from '../process.ts';
import type { Answer, Jobs, Meanwhile, Request } from './protocol.ts';

/** The program of the starter: see `client.ts`. It ends with the channel to the daemon. */

const running = new Map<number, AbortController>();

const JOBS: { [K in keyof Jobs]: (input: Jobs[K]['input'], how: Required<Meanwhile>) => unknown } = {
  command: (input, { signal, log }) => runCommandHere({ ...input, signal: signal ?? never, log }),
  execute: (input, { signal }) => executeHere(input, signal),
  start: (input) => startHere(input),
};

const never = new AbortController().signal;

async function perform<K extends keyof Jobs>(call: number, job: K, input: Jobs[K]['input']): Promise<Answer> {
  const abort = new AbortController();
  running.set(call, abort);
  try {
    const log = (line: string) => tell({ call, line });
    return { call, value: (await JOBS[job](input, { signal: abort.signal, log })) as Jobs[K]['output'] };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { call, problem, expected: error instanceof FailedError };
  } finally {
    running.delete(call);
  }
}

/** The daemon may be gone; then nobody wants to know. */
function tell(answer: Answer): void {
  if (process.connected) process.send?.(answer, undefined, undefined, () => undefined);
}

if (import.meta.main) {
  process.on('message', (request: Request) => {
    if ('cancel' in request) running.get(request.cancel)?.abort();
    else void perform(request.call, request.job, request.input).then(tell);
  });
  process.on('disconnect', () => process.exit());
  // They are for the daemon, which ends in its own order and needs programs for that.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)
    process.on(signal, () => undefined);
}
