/** `v2026.11.20`, then `-2`, `-3` … on the same day (UTC). */
export function nextTag(taken: readonly string[], now: Date): string {
  const today = `v${now.getUTCFullYear()}.${now.getUTCMonth() + 1}.${now.getUTCDate()}`;
  const numbers = taken.map((tag) => {
    if (tag === today) return 1;
    const [, number] = /^-(\d{1,6})$/.exec(tag.startsWith(today) ? tag.slice(today.length) : '') ?? [];
    return Number(number ?? 0);
  });
  const next = Math.max(0, ...numbers) + 1;
  return next === 1 ? today : `${today}-${next}`;
}
