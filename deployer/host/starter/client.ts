import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CutOffError, FailedError } from '../../problem.ts';
import type { Answer, Jobs, Meanwhile, Request } from './protocol.ts';

const PROGRAM = fileURLToPath(new URL('main.ts', import.meta.url));

interface Call {
  resolve(value: never): void;
  reject(error: Error): void;
  log: Meanwhile['log'];
}

interface Starter {
  child: ChildProcess;
  calls: Map<number, Call>;
}

let starter: Starter | null = null;
let users = 0;
let lastCall = 0;

/**
 * From now on programs are started by a small process of their own, the starter. A fork copies the page tables of the
 * process that forks, which stands still meanwhile: 1 ms of a small one, 7 to 13 ms of a daemon of 150 to 250 MB, and a
 * deployment starts some twenty programs.
 * @returns ends it once nobody else uses it; programs are started by this process again
 */
export function openStarter(): () => Promise<void> {
  users += 1;
  starter ??= begin();
  return async () => {
    users -= 1;
    if (users > 0 || !starter) return;
    const { child } = starter;
    starter = null;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.ref();
    if (child.connected) child.disconnect();
    await gone;
  };
}

/**
 * What comes to the same when it is done once more: git and systemctl, and a start, which ends what an earlier one left on
 * its socket. A release's command may have begun to change something: whoever asked for it begins anew, or does not.
 */
const REPEATABLE: ReadonlySet<keyof Jobs> = new Set(['execute', 'start'] as const);

/**
 * Does a job in the starter; `here` does it in this process, where none is open.
 * @throws CutOffError when the starter was killed meanwhile
 */
export async function byStarter<K extends keyof Jobs>(
  job: K,
  input: Jobs[K]['input'],
  meanwhile: Meanwhile,
  here: () => Promise<Jobs[K]['output']>,
): Promise<Jobs[K]['output']> {
  try {
    return await doOnce(job, input, meanwhile, here);
  } catch (error) {
    if (!(error instanceof CutOffError) || !REPEATABLE.has(job) || meanwhile.signal?.aborted) throw error;
    return doOnce(job, input, meanwhile, here);
  }
}

function doOnce<K extends keyof Jobs>(
  job: K,
  input: Jobs[K]['input'],
  meanwhile: Meanwhile,
  here: () => Promise<Jobs[K]['output']>,
): Promise<Jobs[K]['output']> {
  if (users > 0) starter ??= begin();
  return starter ? call(starter, job, input, meanwhile) : here();
}

function begin(): Starter {
  const child = fork(PROGRAM, [], {
    // Nothing of the daemon's own environment: there are secrets in it.
    env: { PATH: process.env['PATH'] },
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const begun: Starter = { child, calls: new Map() };
  child.on('message', (answer: Answer) => take(begun, answer));
  child.on('error', (error) => end(begun, error));
  child.on('exit', (code, signal) =>
    end(begun, new CutOffError(`the starter of programs ended: ${signal ?? code}`)),
  );
  keepAlive(begun);
  return begun;
}

/** The next call begins another one. */
function end(which: Starter, error: Error): void {
  if (starter === which) starter = null;
  for (const each of which.calls.values()) each.reject(error);
  which.calls.clear();
}

function call<K extends keyof Jobs>(
  which: Starter,
  job: K,
  input: Jobs[K]['input'],
  { signal, log }: Meanwhile,
): Promise<Jobs[K]['output']> {
  const id = ++lastCall;
  const { promise, resolve, reject } = Promise.withResolvers<Jobs[K]['output']>();
  which.calls.set(id, { resolve, reject, log });
  keepAlive(which);
  const cancel = () => send(which, { cancel: id });
  send(which, { call: id, job, input } as Request);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  return promise.finally(() => {
    signal?.removeEventListener('abort', cancel);
    keepAlive(which);
  });
}

/** What cannot be sent any more is answered by `exit`. */
function send({ child }: Starter, request: Request): void {
  if (child.connected) child.send(request, () => undefined);
}

function take({ calls }: Starter, answer: Answer): void {
  const asked = calls.get(answer.call);
  if ('line' in answer) return asked?.log?.(answer.line);
  calls.delete(answer.call);
  if ('value' in answer) asked?.resolve(answer.value as never);
  else asked?.reject(new (answer.expected ? FailedError : Error)(answer.problem));
}

/** It keeps this process alive only while it is asked for something. */
function keepAlive({ child, calls }: Starter): void {
  const how = calls.size > 0 ? 'ref' : 'unref';
  child[how]();
  child.channel?.[how]();
}
