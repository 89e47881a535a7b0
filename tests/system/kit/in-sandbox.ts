// Runs commands in the sandbox as the daemon would: one JSON object a line on stdin, one result a line on stdout.
import { createInterface } from 'node:readline';
import { sandbox } from '../../../deployer/host/systemd/command.ts';
import { oneLine } from '../../../deployer/problem.ts';

process.umask(0o077);
const run = sandbox('/var/lib/deployer');

for await (const line of createInterface(process.stdin)) {
  const log: string[] = [];
  const asked = JSON.parse(line) as Parameters<typeof run>[0];
  const spec = { ...asked, signal: new AbortController().signal, log: (said: string) => void log.push(said) };
  const result = await run(spec).catch((error: unknown) => ({ refused: oneLine(error) }));
  process.stdout.write(`${JSON.stringify({ ...result, log })}\n`);
}
