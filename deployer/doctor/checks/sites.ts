import { readText } from '../../settings-file.ts';
import { renderSite } from '../../host/web-server/render.ts';
import { hostSite, siteFile } from '../../install/front-door.ts';
import { bad, good, type Examine } from '../check.ts';

/** Caddy knows the addresses of what is live: a new environment, or a changed url, is root's to install. */
export const sites: Examine = async ({ isHost, settings, live }) => {
  if (!isHost || settings?.frontDoor === 'nginx') return [];
  return live.flatMap(({ config }) => {
    if (!config) return [];
    const name = `Caddy serves ${config.name} at ${config.url ?? config.listen}`;
    const location = siteFile(config.name);
    const found = readText(location);
    if (found === renderSite('caddy', hostSite(config))) return [good(name, 'as its file says')];
    const actual = found === null ? 'it does not know it' : 'its configuration is another';
    const hint = 'in the clone: git pull && npx deployer install';
    return [bad(name, { expected: 'as its file says', actual, hint, location })];
  });
};
