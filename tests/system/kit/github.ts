// The strict double of GitHub for a machine without a network: a process of the host in the machine's network namespace.
// Its argument is an empty directory; its first line is how to reach it; `GET /` of `asked` answers what only it knows.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { GitHub } from '../../kit/github/github.ts';

export interface GitHubInside {
  settings: Record<'GITHUB_SERVER_URL' | 'GITHUB_API_URL' | 'GITHUB_REPOSITORY' | 'GITHUB_TOKEN', string>;
  pushUrl: string;
  asked: string;
}

export interface Known {
  /** What GitHub would have refused. */
  violations: string[];
  /** Events, and how the receiver answered. */
  deliveries: { event: string; status: number }[];
  statuses: { sha: string; context: string; state: string }[];
}

const [directory = ''] = process.argv.slice(2);
const github = await GitHub.start(directory);

const known = (): Known => ({
  violations: github.violations,
  deliveries: github.world.webhooks.deliveries.map(({ event, status_code: status }) => ({ event, status })),
  statuses: github.world.statuses.map(({ sha, context, state }) => ({ sha, context, state })),
});
const server = createServer((_, response) => response.end(JSON.stringify(known()))).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as { port: number };

const { settings, pushUrl } = { settings: github.settings(github.grant()), pushUrl: github.pushUrl };
process.stdout.write(`${JSON.stringify({ settings, pushUrl, asked: `http://127.0.0.1:${port}/` })}\n`);
