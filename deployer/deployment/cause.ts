import { firstLogged } from './log-entries.ts';
import type { Suite } from './model.ts';
import { firstFailure } from './reports/words.ts';
import type { Work } from './work.ts';

/**
 * The first failed check as one line, and where an answer of 500 comes from, as far as the instance has logged it:
 * `routes: GET /doc/all/ gave 500, expected 200: app/documents/list.ts:23: TypeError: …`; null when all passed.
 */
export async function causeOf(
  { release }: Pick<Work, 'release'>,
  suites: Suite[],
  output: (() => Promise<string>) | null,
): Promise<string | null> {
  const failure = firstFailure(suites);
  if (failure === null || !release || !output || !/ gave 5\d\d\b/.test(failure)) return failure;
  return firstFailure(suites, firstLogged(await output().catch(() => ''), release.directory));
}
