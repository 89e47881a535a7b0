import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { oneLine } from '../../problem.ts';
import { deliver } from './delivery.ts';
import { originOf } from './path.ts';
import { parsePushedRefs, pushEvent } from './push-event.ts';

/** The post-receive hook: tells the deployer of each pushed branch as GitHub would. `post-receive.ts HOME URL`. */

interface HookIo {
  stdin: NodeJS.ReadableStream;
  /** Shown to the person who pushes. */
  stdout: { write(text: string): unknown };
}

/** Milliseconds that a push may wait for the deployer, for all its branches together. */
const PATIENCE = 3000;

/** Never fails: the push is done, and the deployer looks at the branches by itself too. */
export async function main(argv: readonly string[], io: HookIo): Promise<void> {
  const [home = '', url = ''] = argv;
  const deadline = AbortSignal.timeout(PATIENCE);
  const branches = parsePushedRefs(await text(io.stdin));
  let secret: string | null = null;
  for (const pushed of branches) {
    try {
      secret ??= (await readFile(join(home, 'webhook-secret'), 'utf8')).trim();
      const event = await pushEvent(originOf(home), pushed);
      await deliver({ url, secret, event: 'push', payload: event, signal: deadline });
      io.stdout.write(`deployer: ${oneLine(pushed.branch)} → ${url}/\n`);
    } catch (error) {
      io.stdout.write(`deployer: ${oneLine(pushed.branch)} is stored; ${whyLater(error)}\n`);
    }
  }
}

function whyLater(error: unknown): string {
  const silent =
    error instanceof Error && /ECONNREFUSED|TimeoutError|AbortError|ABORT_ERR/.test(codeOf(error));
  if (silent) return 'the deployer does not answer and will see it when it runs';
  return `the deployer will see it at its next look (${oneLine(error, 200)})`;
}

function codeOf(error: Error): string {
  return `${error.name} ${'code' in error ? String(error.code) : ''}`;
}

if (import.meta.main) await main(process.argv.slice(2), process);
