import type { Check } from './report.ts';

/** What is not as expected. `actual` continues the check's name to a sentence. */
export interface Fault {
  actual: string;
  hint: string;
  /** `file:line` in the tree; looked for only when it is a fault. */
  location?: () => string | null;
}

/** Judges one thing: null when it is as expected. What the judge throws is a fault too, so that no check can end the run. */
export async function check(
  name: string,
  expected: string,
  judge: () => Fault | null | Promise<Fault | null>,
): Promise<Check> {
  let fault: Fault | null;
  try {
    fault = await judge();
  } catch (error) {
    fault = { actual: sentenceOf(error), hint: hintOf(error) };
  }
  return fault === null ? passed(name, expected) : failed(name, expected, fault);
}

export function passed(name: string, expected: string): Check {
  return { name, success: true, expected, actual: expected, hint: null, location: null };
}

export function failed(name: string, expected: string, { actual, hint, location }: Fault): Check {
  return { name, success: false, expected, actual, hint, location: location?.() ?? null };
}

/** The instance gave no answer that could be judged. The message continues the name of a request to a sentence. */
export class NoAnswer extends Error {}

function sentenceOf(error: unknown): string {
  if (error instanceof NoAnswer) return error.message;
  return `could not be checked: ${error instanceof Error ? error.message : String(error)}`;
}

function hintOf(error: unknown): string {
  return error instanceof NoAnswer
    ? "look into the instance's log"
    : 'look whether the database and the tree belong together';
}
