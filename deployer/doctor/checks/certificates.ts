import { connect } from 'node:tls';
import { publicUrl } from '../../host/web-server/render.ts';
import { siteFile } from '../../install/front-door.ts';
import { readText } from '../../settings-file.ts';
import { bad, good, type Examine } from '../check.ts';

const ANSWER_MS = 5000;

/** Visitors of what Caddy serves by https meet a certificate that is good: by itself it says nothing but in its log. */
export const certificates: Examine = async ({ isHost, live, now }) => {
  if (!isHost) return [];
  const urls = live.flatMap(({ config }) => {
    const url = config ? publicUrl(config) : null;
    const isServed = url && readText(siteFile(config?.name ?? ''))?.includes(`${url.origin} {`);
    return isServed && url.protocol === 'https:' ? [url] : [];
  });
  return Promise.all(urls.map((url) => examineOne(url, now)));
};

async function examineOne(url: URL, now: Date) {
  const name = `certificate of ${url.hostname}`;
  const expected = 'good';
  const hint = `does ${url.hostname} in DNS lead to this machine, and do ports 80 and 443? journalctl -u caddy says what the authority answers`;
  const until = await goodUntil(url);
  if (until === null) return bad(name, { expected, actual: 'none yet', hint });
  const day = until.toISOString().slice(0, 10);
  if (until < now) return bad(name, { expected, actual: `it ended on ${day}`, hint });
  return good(name, `until ${day}`, expected);
}

/** The end of the certificate by which this machine answers to the name; null: it has none, or does not answer. */
async function goodUntil({ hostname, port }: URL): Promise<Date | null> {
  const { promise, resolve } = Promise.withResolvers<Date | null>();
  // Which authority is trusted is the visitors' to say.
  const how = {
    host: '127.0.0.1',
    port: Number(port || 443),
    servername: hostname,
    rejectUnauthorized: false,
  };
  const socket = connect({ ...how, timeout: ANSWER_MS });
  socket.once('secureConnect', () => resolve(new Date(socket.getPeerCertificate().valid_to)));
  for (const event of ['error', 'timeout', 'close']) socket.once(event, () => resolve(null));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
