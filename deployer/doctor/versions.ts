/** Compares versions of numbers and dots: 3.51.3 is at least 3.9. */
export function isAtLeast(version: string, least: string): boolean {
  const [actual, wanted] = [version, least].map((text) => text.split('.').map(Number));
  for (const [index, part] of (wanted ?? []).entries()) {
    const have = actual?.[index] ?? 0;
    if (have !== part) return have > part;
  }
  return true;
}
