import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { copyDatabase } from '../../backups/sqlite/copy.ts';
import type { RunCommand } from '../host/types.ts';
import { oneLine } from '../problem.ts';
import { removeTree } from '../release/files.ts';
import { upgradeDirectory } from './trial.ts';
import type { Wanted } from './wanted.ts';

/** How long a new deployer may take to show that it can begin. */
const PROOF_MS = 60_000;

/** Why the new deployer cannot begin, by its own word on a copy of the state; null: it can. */
export async function prove(
  { directory }: Wanted,
  parts: {
    home: string;
    runCommand: RunCommand;
    env: NodeJS.ProcessEnv;
    signal: AbortSignal;
    proofMs?: number | undefined;
  },
): Promise<string | null> {
  const { home, runCommand, env, signal, proofMs = PROOF_MS } = parts;
  const copy = join(upgradeDirectory(home), 'proof');
  const runtime = join(directory, 'node_modules', '.bin', 'node');
  await removeTree(copy);
  await mkdir(copy, { recursive: true, mode: 0o700 });
  try {
    const state = join(home, 'state.sqlite');
    if (existsSync(state)) await copyDatabase(state, join(copy, 'state.sqlite'));
    const program = join(directory, 'deployer', 'upgrade', 'prove.ts');
    const { exitCode, timedOut, tail } = await runCommand({
      argv: [existsSync(runtime) ? runtime : process.execPath, program, copy],
      cwd: directory,
      env: ownEnvironment(env, home),
      timeoutMs: proofMs,
      signal,
      log: () => undefined,
      stdout: 'log',
    });
    if (exitCode === 0) return null;
    if (timedOut) return `it did not begin within ${proofMs / 1000} s on a copy of the state`;
    return `it does not begin on a copy of the state: ${oneLine(lastWords(tail) || `it ended with ${exitCode ?? 'a signal'}`)}`;
  } finally {
    await removeTree(copy);
  }
}

/** It is the deployer itself, the next one: it sees the same settings, but is nobody that systemd should hear. */
function ownEnvironment(env: NodeJS.ProcessEnv, home: string): Record<string, string> {
  const { NOTIFY_SOCKET: _, WATCHDOG_USEC: __, WATCHDOG_PID: ___, ...settings } = env;
  const set = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return { ...Object.fromEntries(set), DEPLOYER_HOME: home };
}

/** Node puts its version below what was wrong. */
function lastWords(tail: string): string {
  const lines = tail.split('\n').map((line) => line.trim());
  return (
    lines.find((line) => /^\w*Error\b/.test(line)) ??
    lines.findLast((line) => line !== '' && !line.startsWith('Node.js v')) ??
    ''
  );
}
