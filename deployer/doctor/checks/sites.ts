import type { Environment } from '../../../environments/schema.ts';
import type { Check } from '../../deployment/model.ts';
import { readText } from '../../settings-file.ts';
import { renderSite } from '../../host/web-server/render.ts';
import { hostSite, siteFile } from '../../install/front-door.ts';
import { bad, good, type Examine } from '../check.ts';

/** Caddy knows the addresses of what is live or to be: a new environment, or a changed url, is root's to install. */
export const sites: Examine = async ({ isHost, settings, live, idle }) => {
  if (!isHost || settings?.frontDoor === 'nginx') return [];
  return [...live.flatMap(({ config }) => (config ? [served(config)] : [])), ...idle.flatMap(awaited)];
};

function served(config: Environment): Check {
  const name = `Caddy serves ${config.name} at ${config.url ?? config.listen}`;
  const location = siteFile(config.name);
  const found = readText(location);
  if (found === renderSite('caddy', hostSite(config))) return good(name, 'as its file says');
  const actual = found === null ? UNKNOWN : 'its configuration is another';
  const hint = 'in the clone: git pull && npx deployer install';
  return bad(name, { expected: 'as its file says', actual, hint, location });
}

const UNKNOWN = 'it does not know it';

/** Without its front door it cannot go live. */
function awaited(environment: string): Check[] {
  const location = siteFile(environment);
  if (readText(location) !== null) return [];
  const hint = `npx deployer install, in a clone that has environments/${environment}.yaml`;
  return [
    bad(`Caddy serves ${environment}`, { expected: 'as its file says', actual: UNKNOWN, hint, location }),
  ];
}
