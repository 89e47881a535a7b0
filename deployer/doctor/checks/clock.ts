import { bad, good, type Examine } from '../check.ts';

/** What a clock may be behind by its nature. */
const TOLERATED_MS = 60_000;

/** The clock goes forward, and on a host somebody sets it. */
export const clock: Examine = async ({ live, isHost, host, now }) => {
  const times = live.flatMap(({ requestedAt, liveAt, finishedAt }) => [requestedAt, liveAt, finishedAt]);
  const newest =
    times
      .filter((time) => time !== null)
      .toSorted()
      .at(-1) ?? '';
  const isBehind = Date.parse(newest) > now.getTime() + TOLERATED_MS;
  const name = 'the clock';
  const actual = now.toISOString();
  const order = isBehind
    ? bad(name, {
        expected: `after the last deployment, ${newest}`,
        actual,
        hint: 'timedatectl set-ntp true',
      })
    : good(name, actual, 'after the last deployment');
  if (!isHost) return [order];
  const synchronized = await host.ask(['timedatectl', 'show', '--value', '--property=NTPSynchronized']);
  const inContainer = (await host.ask(['systemd-detect-virt', '--container'])) !== null;
  // A container has the clock of its host, which sets it.
  if (synchronized === 'yes' || inContainer) return [order];
  const hint = 'apt-get install systemd-timesyncd && timedatectl set-ntp true';
  const found = { expected: 'synchronized', actual: 'not synchronized', hint };
  return [order, bad('the clock is set by the network', found)];
};
