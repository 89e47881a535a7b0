import type { Report } from './main.ts';

/** The report for a person: one line a migration, then what went wrong. */
export function renderReport({ applied, pending, ran, error }: Report): string {
  const lines = [
    ...applied.map((name) => `applied  ${name}`),
    ...pending.map((name) => `pending  ${name}`),
    ...ran.map(({ name, durationMs, touches, reversible }) => {
      const notes = [`${durationMs} ms`, `touches ${touches.join(', ') || 'no rows'}`];
      return `ran      ${name} (${[...notes, ...(reversible ? [] : ['cannot be taken back'])].join('; ')})`;
    }),
  ];
  if (error !== null) {
    const where = error.location === null ? '' : ` (${error.location})`;
    lines.push(`failed   ${error.migration === null ? '' : `${error.migration}: `}${error.message}${where}`);
  }
  return `${lines.join('\n') || 'no migrations'}\n`;
}
