import { data, special, type RouteCheck } from './route-check.ts';

/** What the deployer talks to. Through the front door some of it is hidden: 404. */
export const deploy: RouteCheck[] = [
  data('/_deploy/health', 'application/json', { text: '"database"' }),
  data('/_deploy/status', 'application/json', { text: '"git_commit"' }),
  { ...data('/_deploy/routes', 'application/json', { text: '"routes"' }), hidden: true },
  // a malformed body: the mode must stay as it is
  special('PUT', '/_deploy/mode', [400, 404], { deployment_mode: 'unchanged' }),
  // without its token, and outside dev there is none
  special('POST', '/_deploy/reload', [401, 403, 404]),
];
