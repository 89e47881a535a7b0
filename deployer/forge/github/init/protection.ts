import { z } from 'zod';
import type { Environment } from '../../../../environments/schema.ts';
import type { Check } from '../../../deployment/model.ts';
import { everyPage, orNull, parsed, type GitHub } from '../client.ts';
import { isRefused } from '../permissions.ts';

const branch = z.object({
  protected: z.boolean(),
  protection: z
    .object({ required_status_checks: z.object({ contexts: z.array(z.string()) }).optional() })
    .optional(),
});
const rule = z.object({
  type: z.string(),
  parameters: z
    .object({ required_status_checks: z.array(z.object({ context: z.string() })).optional() })
    .optional(),
});

type Wanted = Pick<Environment, 'name' | 'branch' | 'requires'>;

/** What protection each environment's branch has, and which checks it could require. Nothing is changed. */
export async function checkProtection(github: GitHub, environments: readonly Wanted[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const environment of environments) checks.push(await check(github, environment));
  return checks;
}

/** Both are on the head of a pull request before it is merged: its rehearsal, and where it was deployed before. */
function proposedFor({ name, requires }: Wanted): string[] {
  return [`rehearse/${name}`, ...(requires === undefined ? [] : [`deploy/${requires}`])];
}

async function check(github: GitHub, environment: Wanted): Promise<Check> {
  const proposed = proposedFor(environment);
  const base = {
    name: `branch ${environment.branch} of ${environment.name}`,
    expected: `may require ${proposed.join(' and ')}`,
    location: `environments/${environment.name}.yaml`,
  };
  const asked = requiredOn(github, environment.branch);
  if (await isRefused(asked)) {
    const hint = 'give the token or the App the permission contents=write, then run init again';
    return { ...base, success: false, actual: 'may not be read', hint };
  }
  const required = await asked;
  if (required === null) {
    const hint = `push the branch ${environment.branch}, or correct branch in ${base.location}`;
    return { ...base, success: false, actual: 'there is no such branch', hint };
  }
  const missing = proposed.filter((context) => !required.includes(context));
  const actual = required.length > 0 ? `requires ${required.join(', ')}` : 'requires no check';
  const hint = `proposed: require ${missing.join(' and ')} in the protection of ${environment.branch} (Settings, Branches)`;
  return { ...base, success: true, actual, hint: missing.length > 0 ? hint : null };
}

/** From branch protection and from rulesets; null when there is no such branch. */
async function requiredOn(github: GitHub, name: string): Promise<string[] | null> {
  const found = await orNull(github.rest.repos.getBranch({ ...github.at, branch: name }));
  if (!found) return null;
  const { protection } = parsed(branch, found);
  // An Enterprise Server of an older version has no rulesets.
  const rules = await orNull(
    everyPage(z.array(rule), (page) =>
      github.rest.repos.getBranchRules({ ...github.at, branch: name, ...page }),
    ),
  );
  const byRules = (rules ?? [])
    .filter(({ type }) => type === 'required_status_checks')
    .flatMap(({ parameters }) => parameters?.required_status_checks ?? []);
  const contexts = [
    ...(protection?.required_status_checks?.contexts ?? []),
    ...byRules.map(({ context }) => context),
  ];
  return [...new Set(contexts)].toSorted();
}
