import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach } from 'vitest';

const started = new Set<ChildProcess>();
afterEach(async () => {
  for (const child of started) await kill(child);
});

/** Runs a TypeScript module's text in a process of its own; `lines` are those that it prints. Killed after the test. */
export function startProgram(text: string): { child: ChildProcess; nextLine: () => Promise<string> } {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', text], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.add(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the program ended without another line');
    return value;
  };
  return { child, nextLine };
}

/** SIGKILL, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  started.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
