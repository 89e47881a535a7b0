import { parseArgs } from 'node:util';
import { serve } from './server.ts';

/** `--listen HOST:PORT --directory RUNDIR`; runs until SIGTERM, SIGINT or the loss of its directory. Returns the exit code. */
export async function main(
  argv: string[],
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<number> {
  const { listen, directory } = parseArgs({
    args: argv,
    options: { listen: { type: 'string' }, directory: { type: 'string' } },
  }).values;
  if (listen === undefined || directory === undefined) {
    log('usage: main.ts --listen HOST:PORT --directory RUNDIR');
    return 2;
  }
  try {
    const door = await serve({ listen, directory, log });
    await Promise.race([door.displaced, aborted(signal)]);
    log('stopping');
    await door.close();
    return 0;
  } catch (error) {
    log(`cannot serve ${listen}: ${String(error)}`);
    return 1;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

if (import.meta.main) {
  const stop = new AbortController();
  const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort());
  // One request's defect must not end everybody else's.
  process.on('uncaughtException', (error) => log(`defect: ${error.stack ?? String(error)}`));
  // Started by a terminal that is closed, or by a daemon that is.
  process.on('SIGHUP', () => undefined);
  process.exit(await main(process.argv.slice(2), stop.signal, log));
}
