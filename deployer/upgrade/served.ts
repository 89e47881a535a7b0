import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf } from '../problem.ts';
import { writeAtomically } from '../release/files.ts';
import { servedFile } from './trial.ts';

/** Whom the note is about, and which environments' live releases answered when that deployer was started first. */
const note = z.object({ to: z.string(), environments: z.array(z.string()) });

/** Notes what is served when a new deployer comes, before it touches anything; a later start of it changes nothing. */
export async function noteServed(home: string, to: string, serving: () => Promise<string[]>): Promise<void> {
  if ((await read(home))?.to === to) return;
  await writeAtomically(servedFile(home), JSON.stringify({ to, environments: await serving() }), 0o600);
}

/** The environments that were served then, and are not any more. */
export async function missedSince(
  home: string,
  to: string,
  serving: () => Promise<string[]>,
): Promise<string[]> {
  const before = await read(home);
  if (before?.to !== to) return [];
  const now = await serving();
  return before.environments.filter((name) => !now.includes(name));
}

async function read(home: string): Promise<z.infer<typeof note> | null> {
  try {
    return note.parse(JSON.parse(await readFile(servedFile(home), 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
