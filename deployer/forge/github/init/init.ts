import type { Environment } from '../../../../environments/schema.ts';
import type { Check } from '../../../deployment/model.ts';
import type { GitHubSettings } from '../../../settings.ts';
import { checkGitHub } from '../checks.ts';
import { connect } from '../client.ts';
import { createHealth } from '../health.ts';
import { realTime, type Time } from '../pace.ts';
import { remoteOf } from '../remote.ts';
import { checkProtection } from './protection.ts';
import { ensureWebhook } from './webhook.ts';

/** A person waits. */
const DEADLINE_MS = 20_000;

/**
 * Makes a repository on GitHub ready for the deployer: permissions, webhook, protection. Twice changes nothing.
 * @param url the deployer's public address
 * @returns what was found and done, and whether the repository could be reached at all
 */
export async function initGitHub(options: {
  settings: GitHubSettings;
  url: string;
  secret: string;
  isNew: boolean;
  environments: readonly Environment[];
  signal: AbortSignal;
  time?: Time;
}): Promise<{ checks: Check[]; reached: boolean }> {
  const { settings, url, secret, isNew, environments, signal, time = realTime } = options;
  const clock = () => new Date();
  const health = createHealth({
    clock,
    mendAccess: 'put a valid token into GITHUB_TOKEN, or see that the App is installed',
  });
  const github = connect({ settings, health, clock, time, deadlineMs: DEADLINE_MS, signal });
  const reach = await checkGitHub(github, { health, remote: remoteOf(settings, github, health) });
  if (reach[0]?.success !== true) return { checks: reach, reached: false };
  const address = addressCheck(url, settings);
  const hook = { url: `${url}/webhooks/github`, secret, isNew };
  return {
    reached: true,
    checks: [
      ...reach,
      address,
      ...(address.success ? [await ensureWebhook(github, hook)] : []),
      ...(await checkProtection(github, environments)),
    ],
  };
}

const isLoopback = (url: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);

/** A GitHub elsewhere cannot send anything to this machine's own loopback. */
function addressCheck(url: string, { serverUrl }: GitHubSettings): Check {
  const success = !isLoopback(url) || isLoopback(serverUrl);
  return {
    name: 'public address',
    success,
    expected: 'an address that GitHub can reach',
    actual: url,
    hint: success
      ? null
      : 'set DEPLOYER_URL to the public address of the deployer (https://…), then run init again',
    location: 'DEPLOYER_URL',
  };
}
