import type { SuiteName } from '../../../verify/arguments.ts';
import { verify } from '../../../verify/verify.ts';
import { instance, type InstanceOptions } from './instance.ts';

/** Judges an instance with its faults by one suite: the sentences of what is wrong, in order. */
export async function judge(
  suite: SuiteName,
  options: InstanceOptions,
  more: { baseline?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<string[]> {
  const { socket } = await instance(options);
  return judgeSocket(suite, socket, options.file, more);
}

export async function judgeSocket(
  suite: SuiteName,
  socket: string | null,
  file: string,
  {
    baseline,
    env = {},
    timeoutMs = 5000,
    url = 'http://datatracker.test',
  }: {
    baseline?: string;
    env?: NodeJS.ProcessEnv;
    timeoutMs?: number;
    url?: string;
  } = {},
): Promise<string[]> {
  const invocation = { url, socket, suites: [suite], baseline: baseline ?? null, timeoutMs, json: true };
  const { success, suites } = await verify(invocation, { DATABASE_FILE: file, ...env });
  const checks = suites.flatMap((one) => one.checks);
  const failed = checks.filter((check) => !check.success);
  if (checks.length === 0 || success !== (failed.length === 0))
    throw new Error('the report contradicts itself');
  return failed.map(({ name, actual }) => `${name} ${actual}`);
}
