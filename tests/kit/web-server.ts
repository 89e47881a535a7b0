import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { parseListen } from '../../deployer/host/ports.ts';
import { writesIn } from '../../deployer/host/sluice/writes.ts';
import { renderSite } from '../../deployer/host/web-server/render.ts';
import type { Site, WebServer } from '../../deployer/host/web-server/site.ts';
import { waitFor } from './daemon.ts';

const PROGRAMS: Record<WebServer, string> = { caddy: '/usr/bin/caddy', nginx: '/usr/sbin/nginx' };

export const isInstalled = (server: WebServer) => existsSync(PROGRAMS[server]);

export interface RunningWebServer {
  pid: number;
  /** SIGKILL; it is gone then. */
  kill(): Promise<void>;
}

/** Debian's web server as a plain child, with the configuration that an installation gets; `root`: a directory of its own. */
export async function startWebServer(
  server: WebServer,
  root: string,
  sites: Site[],
): Promise<RunningWebServer> {
  for (const { directory, log } of sites) {
    mkdirSync(join(directory, 'writes'), { recursive: true });
    mkdirSync(dirname(log), { recursive: true });
  }
  const own = mkdtempSync(join(root, `${server}-`));
  const config = join(own, 'config');
  writeFileSync(config, around(server, own, sites.map((site) => renderSite(server, site)).join('\n')));
  const log = join(own, 'log');
  const output = openSync(log, 'a');
  const args =
    server === 'caddy'
      ? ['run', '--config', config, '--adapter', 'caddyfile']
      : ['-c', config, '-p', own, '-e', 'stderr'];
  const child = spawn(PROGRAMS[server], args, {
    env: { HOME: own },
    stdio: ['ignore', output, output],
  });
  const gone = once(child, 'exit');
  await waitFor(`${server} to listen`, async () => {
    if (child.exitCode !== null) throw new Error(`${server} ended: ${readFileSync(log, 'utf8')}`);
    const listening = await Promise.all(sites.map(isServed));
    return listening.every(Boolean) || undefined;
  });
  return {
    pid: child.pid ?? 0,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function around(server: WebServer, own: string, sites: string): string {
  if (server === 'caddy') return `{\n\tadmin off\n}\n${sites}`;
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = kinds.map((kind) => `${kind}_temp_path ${own}/${kind};`).join('\n');
  return [
    'daemon off; master_process off;',
    `pid ${own}/pid; error_log stderr;`,
    'events { worker_connections 4096; }',
    `http {\n${temporary}\n${sites}\n}\n`,
  ].join('\n');
}

/** For visitors, and for the writes of both slots. */
async function isServed({ directory, listen }: Site): Promise<boolean> {
  return Object.keys(writesIn(directory)).length === 2 && (await accepts(listen));
}

function accepts(listen: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(parseListen(listen));
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
