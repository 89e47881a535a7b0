/** The candidate that is at most two slips of the hand away, and less than half of the word. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const [best] = candidates
    .map((candidate) => ({ candidate, far: distance(word, candidate) }))
    .filter(({ candidate, far }) => far <= 2 && far * 2 < Math.max(word.length, candidate.length))
    .sort((one, other) => one.far - other.far);
  return best?.candidate ?? null;
}

/** Levenshtein's: insertions, deletions and replacements, row by row. */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of Array.from(one).entries()) {
    const present = [row + 1];
    for (const [column, wanted] of Array.from(other).entries()) {
      const replaced = (above[column] ?? 0) + (letter === wanted ? 0 : 1);
      present.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (present[column] ?? 0) + 1));
    }
    above = present;
  }
  return above.at(-1) ?? 0;
}
