/** The variables of an environment whose names match: what a child may see, and nothing else. */
export function pickVariables(
  env: Readonly<Record<string, string | undefined>>,
  names: RegExp,
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && names.test(name)) picked[name] = value;
  }
  return picked;
}
