import { z } from 'zod';
import type { Report } from '../types.ts';
import { everyPage, parsed, type GitHub } from './client.ts';

type Deployment = Report & { type: 'deployment' };

const deployment = z.object({ id: z.number(), payload: z.unknown() });
const deploymentStatus = z.object({
  id: z.number(),
  state: z.string(),
  description: z.string().nullish(),
  log_url: z.string().nullish(),
});
const ours = z.object({ deployment: z.string() });

/** GitHub's limit for the description of a deployment and of its states. */
const DESCRIPTION_LIMIT = 140;

/** A state of the GitHub Deployment of one of our deployments, which is made with its first state. */
export async function sendDeployment(github: GitHub, report: Deployment): Promise<void> {
  const id = (await find(github, report)) ?? (await create(github, report));
  const { state, environmentUrl, logUrl } = report;
  const description = report.description.slice(0, DESCRIPTION_LIMIT);
  const { repos } = github.rest;
  const at = { ...github.at, deployment_id: id };
  // Newest first.
  const [newest] = parsed(
    z.array(deploymentStatus),
    await repos.listDeploymentStatuses({ ...at, per_page: 1 }),
  );
  // GitHub itself makes an older deployment inactive.
  if (newest?.state === state && (state === 'inactive' || newest.description === description)) return;
  const urls = { log_url: logUrl, ...(environmentUrl === null ? {} : { environment_url: environmentUrl }) };
  parsed(deploymentStatus, await repos.createDeploymentStatus({ ...at, state, description, ...urls }));
}

/** Our id is in the payload, so that one whose answer was lost is found again. */
async function find(
  github: GitHub,
  { commit, environment, deployment: id }: Deployment,
): Promise<number | null> {
  const query = { ...github.at, sha: commit, environment };
  const present = await everyPage(z.array(deployment), (page) =>
    github.rest.repos.listDeployments({ ...query, ...page }),
  );
  return present.find(({ payload }) => idIn(payload) === id)?.id ?? null;
}

/** GitHub gives a payload back as the object or as its JSON. */
function idIn(payload: unknown): string | null {
  try {
    const value: unknown = typeof payload === 'string' ? JSON.parse(payload) : payload;
    return ours.safeParse(value).data?.deployment ?? null;
  } catch {
    return null;
  }
}

/**
 * Without required contexts: our own pending status would be one. Without merging: what is deployed is this commit.
 * https://docs.github.com/rest/deployments/deployments#create-a-deployment
 */
async function create(github: GitHub, report: Deployment): Promise<number> {
  const { commit, environment, deployment: id, production } = report;
  const answer = await github.rest.repos.createDeployment({
    ...github.at,
    ref: commit,
    environment,
    payload: { deployment: id },
    description: `deployment ${id}`.slice(0, DESCRIPTION_LIMIT),
    required_contexts: [],
    auto_merge: false,
    production_environment: production,
  });
  return parsed(deployment, answer).id;
}
