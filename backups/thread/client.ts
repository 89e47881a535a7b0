import { Worker } from 'node:worker_threads';
import type { Answer, Input, Jobs, Output, Request } from './protocol.ts';

/** A worker thread that does the jobs of `J` one after the other, so that the event loop of the caller never waits. */
export interface Thread<J extends Jobs> {
  /** @throws what `failure` makes of the job's problem; the signal's reason when it aborts */
  run<K extends keyof J & string>(job: K, input: Input<J, K>, signal?: AbortSignal): Promise<Output<J, K>>;
  /** Ends the thread; what is running is rejected. The next call starts a new one. */
  close(): Promise<void>;
}

interface Call {
  resolve(value: never): void;
  reject(error: unknown): void;
}

interface Running {
  worker: Worker;
  calls: Map<number, Call>;
}

/**
 * Starts nothing until the first call. The thread keeps the process alive only while a call is running.
 * @param entry the program of the thread; it calls `serveJobs`
 * @param failure the error for a problem's sentence
 */
export function createThread<J extends Jobs>(entry: URL, failure: (sentence: string) => Error): Thread<J> {
  let running: Running | null = null;
  let lastCall = 0;

  const end = (which: Running, sentence: string) => {
    if (running === which) running = null;
    for (const call of which.calls.values()) call.reject(failure(sentence));
    which.calls.clear();
  };

  const start = (): Running => {
    const worker = new Worker(entry, { execArgv: [], stdin: false });
    const started: Running = { worker, calls: new Map() };
    worker.on('message', (answer: Answer<never>) => settle(started, answer, failure));
    worker.on('error', (error) => end(started, `the worker thread failed: ${messageOf(error)}`));
    worker.on('exit', (code) => end(started, `the worker thread ended with code ${code}`));
    return started;
  };

  return {
    run: (job, input, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const { worker, calls } = (running ??= start());
        const call = ++lastCall;
        send(worker, { call, job, input });
        const cancel = () => send(worker, { cancel: call });
        const done = () => {
          signal?.removeEventListener('abort', cancel);
        };
        calls.set(call, {
          resolve: (value) => (done(), resolve(value)),
          reject: (error) => (done(), reject(signal?.aborted ? signal.reason : error)),
        });
        signal?.addEventListener('abort', cancel, { once: true });
        worker.ref();
      }),
    close: async () => {
      const closing = running;
      if (closing === null) return;
      end(closing, 'the worker thread was closed');
      await closing.worker.terminate();
    },
  };
}

/** A thread for each key, so that long work for one environment keeps no other waiting. */
export function createThreads<J extends Jobs>(entry: URL, failure: (sentence: string) => Error) {
  const threads = new Map<string, Thread<J>>();
  return {
    of(key: string): Thread<J> {
      const thread = threads.get(key) ?? createThread<J>(entry, failure);
      threads.set(key, thread);
      return thread;
    },
    /** Ends them all; those that are asked again start anew. */
    async close(): Promise<void> {
      await Promise.all(Array.from(threads.values(), (thread) => thread.close()));
    },
  };
}

function settle(
  { worker, calls }: Running,
  answer: Answer<never>,
  failure: (sentence: string) => Error,
): void {
  const call = calls.get(answer.call);
  calls.delete(answer.call);
  if (calls.size === 0) worker.unref();
  if ('problem' in answer) call?.reject(failure(answer.problem));
  else call?.resolve(answer.value);
}

function send(worker: Worker, request: Request<unknown>): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(request);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
