import { readFileSync } from 'node:fs';

const LISTENING = '01';

/**
 * How many connections there are to sockets that somebody listens on, by their paths: also those that are not accepted
 * yet, until the one who listens has closed them. From the kernel's table of Unix sockets (proc_pid_net(5)).
 */
export function connectionsTo(paths: readonly string[]): Map<string, number> {
  const rows = readFileSync('/proc/self/net/unix', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => /^\S+: \S+ \S+ \S+ \S+ (\S+) +\d+ (.+)$/.exec(line))
    .filter((row) => row !== null);
  return new Map(
    paths.flatMap((path) => {
      const states = rows.filter((row) => row[2] === path).map((row) => row[1]);
      return states.includes(LISTENING) ? [[path, states.length - 1] as const] : [];
    }),
  );
}
