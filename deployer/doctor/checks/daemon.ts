import { bad, good, type Examine } from '../check.ts';

const ANSWER_MS = 5000;

/** It runs, and says that every environment is live; on a host always, elsewhere when somebody started it. */
export const daemon: Examine = async ({ settings, isHost }) => {
  if (!settings) return [];
  const { host, port } = settings.listen;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const answer = await ask(`${url}/readyz`);
  if (answer === null && !isHost) return [];
  if (answer === null) {
    const hint = 'journalctl -u deployer -n 20 says why; systemctl restart deployer';
    return [bad('the deployer', { expected: `answers on ${url}`, actual: 'no answer', hint })];
  }
  if (answer === 200) return [good('the deployer', 'ready')];
  const hint = 'deployer status says which environment is not live, deployer history ENV why';
  return [bad('the deployer', { expected: 'ready', actual: `not ready (${answer})`, hint })];
};

/** null: nobody answers, or somebody else. */
async function ask(url: string): Promise<number | null> {
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    return status === 200 || status === 503 ? status : null;
  } catch {
    return null;
  }
}
