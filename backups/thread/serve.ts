import type { MessagePort } from 'node:worker_threads';
import type { Answer, Jobs, Request } from './protocol.ts';

/** Answers requests with the jobs, one after the other as they came in; the thread's side of `createThread`. */
export function serveJobs(port: MessagePort, jobs: Jobs): void {
  const running = new Map<number, AbortController>();
  let last: Promise<void> = Promise.resolve();
  port.on('message', (request: Request<never>) => {
    if ('cancel' in request) {
      running.get(request.cancel)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(request.call, controller);
    last = after(last, async () => {
      port.postMessage(await answer(jobs, request, controller.signal));
      running.delete(request.call);
    });
  });
}

async function after(previous: Promise<void>, next: () => Promise<void>): Promise<void> {
  await previous;
  await next();
}

async function answer(
  jobs: Jobs,
  { call, job, input }: Extract<Request<never>, { job: string }>,
  signal: AbortSignal,
): Promise<Answer<unknown>> {
  try {
    signal.throwIfAborted();
    const run: Jobs[string] | undefined = Object.hasOwn(jobs, job) ? jobs[job] : undefined;
    if (run === undefined) throw new Error(`no job is called ${job}`);
    return { call, value: await run(input, signal) };
  } catch (error) {
    return { call, problem: error instanceof Error ? error.message : String(error) };
  }
}
