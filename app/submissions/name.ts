/** @returns what is wrong with a document's name; null: nothing */
export function nameProblem(name: string): string | null {
  if (!/^draft-[a-z][-a-z0-9]*$/.test(name)) {
    return 'The name starts with "draft-" and holds lower-case letters, digits and hyphens only.';
  }
  if (name.length > 50) return `The name is ${name.length} characters long; 50 are allowed.`;
  if (name.includes('--') || name.endsWith('-'))
    return 'The name has an empty part: no "--" and no "-" at its end.';
  if (name.split('-').length < 3)
    return 'The name has at least three parts: draft, who or which group, and what.';
  return null;
}

/** The revision that must follow; a first one is 00. Null: there is none after 99. */
export function nextRevision(current: string | null): string | null {
  if (current === null) return '00';
  const next = Number(current) + 1;
  return next > 99 ? null : String(next).padStart(2, '0');
}
