import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { Invocation } from './arguments.ts';
import { verify } from './verify.ts';

interface Task {
  invocation: Invocation;
  env: NodeJS.ProcessEnv;
}

if (!isMainThread && parentPort !== null) {
  const { invocation, env }: Task = workerData;
  parentPort.postMessage(await verify(invocation, env, Infinity), []);
}
