import type { Check, Suite } from '../../deployment/model.ts';
import { duration } from '../../web/format.ts';
import type { Paint } from './paint.ts';
import { align } from './table.ts';

/** Each suite in a line; below it what failed: expected, actual, hint and where to look. */
export function suiteText(suites: Suite[], paint: Paint): string {
  const heads = align(
    suites.map((suite) => [`  ${suite.name}`, result(suite, paint), duration(suite.durationMs)]),
  );
  return suites
    .flatMap(({ checks }, index) => [
      heads[index] ?? '',
      ...checks.filter((check) => !check.success).flatMap((check) => failedCheck(check, paint)),
    ])
    .join('\n');
}

function result({ success, checks }: Suite, paint: Paint): string {
  if (success) return paint.good(`${checks.length} passed`);
  return paint.bad(`${checks.filter((check) => !check.success).length} of ${checks.length} failed`);
}

export function failedCheck({ name, expected, actual, hint, location }: Check, paint: Paint): string[] {
  return [
    `    ${paint.bad('✗')} ${name}`,
    `        expected  ${expected}`,
    `        actual    ${actual}`,
    ...(hint === null ? [] : [`        hint      ${hint}`]),
    ...(location === null ? [] : [`        where     ${location}`]),
  ];
}
