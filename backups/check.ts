/** A check in the shape of contract section 5. */
export interface Check {
  name: string;
  success: boolean;
  expected: string;
  actual: string;
  hint: string | null;
  location: string | null;
}

/** Runs one check; what it throws makes it fail. `run` answers what it found; null: as expected. */
export async function check(
  { name, expected, location }: Pick<Check, 'name' | 'expected' | 'location'>,
  run: () => Promise<string | null>,
): Promise<Check> {
  const found = await run().catch(messageOf);
  const hint = found === null ? null : 'do not restore from this backup; make a new one and look at the disk';
  return { name, success: found === null, expected, actual: found ?? expected, hint, location };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
