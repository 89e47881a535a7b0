/** One thing that was looked at. `name` and `actual` of a failed one read as a sentence: "GET / gave 500". */
export interface Check {
  name: string;
  success: boolean;
  expected: string;
  actual: string;
  /** What to do or look at next; null for what is in order. */
  hint: string | null;
  /** `file` or `file:line` in the tree, where known. */
  location: string | null;
}

export interface SuiteReport {
  name: string;
  success: boolean;
  durationMs: number;
  checks: Check[];
}

export interface Report {
  success: boolean;
  suites: SuiteReport[];
}

/** The report for a person: one line a suite, then what is wrong in it. */
export function renderReport({ suites }: Report): string {
  const lines = suites.flatMap(({ name, success, durationMs, checks }) => [
    `${success ? 'ok    ' : 'FAILED'}  ${name}  ${checks.length} checks, ${durationMs} ms`,
    ...checks.filter((check) => !check.success).flatMap(renderFault),
  ]);
  return `${lines.join('\n')}\n`;
}

function renderFault({ name, expected, actual, hint, location }: Check): string[] {
  const details = [`expected: ${expected}`, ...(hint === null ? [] : [`next: ${hint}`])];
  return [
    `  ${name} ${actual}`,
    ...details.map((detail) => `    ${detail}`),
    ...(location === null ? [] : [`    at ${location}`]),
  ];
}
