import { stringify } from 'yaml';
import type { Repository } from './repository.ts';

/** An application of one file that starts at once: no database, no programs of its own. It answers with its commit. */
const SERVER = `
import { createServer } from 'node:http';
const { LISTEN, RELEASE_COMMIT } = process.env;
const server = createServer((request, response) => {
  if (request.url === '/_deploy/mode') response.statusCode = 404;
  response.end(RELEASE_COMMIT);
}).listen(LISTEN);
process.once('SIGTERM', () => server.close(() => process.exit(0)));
`;

interface SmallEnvironment {
  name: string;
  branch: string;
  port: number;
  more?: object;
}

/** Commits it with these environments, and returns the commit. */
export function smallFiles(
  repository: Repository,
  environments: readonly SmallEnvironment[],
): Promise<string> {
  const files = environments.map(({ name, branch, port, more }) => [
    `environments/${name}.yaml`,
    stringify({
      name,
      branch,
      listen: `127.0.0.1:${port}`,
      commands: { start: 'node serve.mjs' },
      cutover: { settle: '0s' },
      ...more,
    }),
  ]);
  return repository.commit('A small application', {
    '.gitignore': '.deployer/\n',
    'serve.mjs': SERVER,
    ...Object.fromEntries(files),
  });
}
