import { check, type Fault } from '../check.ts';
import type { Context } from '../context.ts';
import { locate } from '../locate.ts';
import type { Check } from '../report.ts';
import { isText, parseObject, type JsonObject } from '../shape.ts';

const HEALTH = ['status', 'database', 'service'];
const STATUS: Record<string, (value: unknown) => boolean> = {
  environment: isText,
  git_branch: isText,
  git_commit: isText,
  git_tree: isText,
  deployment_id: isText,
  deployed_at: isText,
  service_status: isText,
  database_version: (value) => value === null || isText(value),
  migrations_applied: (value) => Array.isArray(value) && value.every(isText),
  mode: (value) => typeof value === 'boolean',
};

/** Is it up, and is it the release that it should be? */
export async function run({ client, release }: Context): Promise<Check[]> {
  const status = client.get('/_deploy/status').then(({ body }) => parseObject(body) ?? {});
  status.catch(() => {}); // each check below awaits it
  return Promise.all([
    check('GET /_deploy/health', '200', async () => judgeHealth(await client.get('/_deploy/health'))),
    check('GET /_deploy/status', '200 with its ten fields', async () => {
      const answer = await client.get('/_deploy/status');
      if (answer.status !== 200)
        return fault('status', `gave ${answer.status}`, "look into the instance's log");
      return judgeShape('status', await status, STATUS);
    }),
    ...(release.commit === '' ? [] : [runs('git_commit', release.commit, status)]),
    ...(release.deploymentId === '' ? [] : [runs('deployment_id', release.deploymentId, status)]),
  ]);
}

function judgeHealth({ status, body }: { status: number; body: string }): Fault | null {
  if (status !== 200) {
    return fault(
      'health',
      `gave ${status}: ${body.slice(0, 200)}`,
      'a field other than "ok" names what is not ready',
    );
  }
  return judgeShape(
    'health',
    parseObject(body) ?? {},
    Object.fromEntries(HEALTH.map((name) => [name, isText])),
  );
}

function judgeShape(
  endpoint: string,
  found: JsonObject,
  shape: Record<string, (value: unknown) => boolean>,
): Fault | null {
  const wrong = Object.entries(shape).find(([name, holds]) => !holds(found[name]));
  if (wrong === undefined) return null;
  const [name] = wrong;
  const actual = name in found ? `has ${name} as ${JSON.stringify(found[name])}` : `lacks the field ${name}`;
  return fault(endpoint, actual, 'the deployer relies on this field');
}

function runs(field: string, expected: string, status: Promise<JsonObject>): Promise<Check> {
  return check(`the ${field} of the instance`, expected, async () => {
    const actual = (await status)[field];
    if (actual === expected) return null;
    return fault(
      'status',
      `is ${JSON.stringify(actual ?? null)}`,
      'another release answers at this address, or its environment is not set',
    );
  });
}

function fault(endpoint: string, actual: string, hint: string): Fault {
  return { actual, hint, location: () => locate('app', `'/_deploy/${endpoint}'`) };
}
