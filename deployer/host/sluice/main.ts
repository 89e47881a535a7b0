import { parseArgs } from 'node:util';
import { serveSluice } from './serve.ts';

/** `--directory RUNDIR`; runs for a hold and what it lets go, or until SIGTERM. */
async function main(): Promise<number> {
  const { directory } = parseArgs({ options: { directory: { type: 'string' } } }).values;
  const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  if (directory === undefined) {
    log('usage: main.ts --directory RUNDIR');
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort());
  // Started by a daemon on a terminal that is closed.
  process.on('SIGHUP', () => undefined);
  // One connection's defect must not end the hold.
  process.on('uncaughtException', (error) => log(`defect: ${error.stack ?? String(error)}`));
  try {
    await serveSluice(directory, stop.signal);
    return 0;
  } catch (error) {
    log(`cannot hold writes in ${directory}: ${String(error)}`);
    return 1;
  }
}

if (import.meta.main) process.exit(await main());
