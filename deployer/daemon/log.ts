import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';

/** The daemon's own log, `<home>/logs/deployer.log`. A line that cannot be written, on a full disk say, is no reason to end. */
export function openLog(home: string): Logger {
  const logs = join(home, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const destination = pino.destination({ dest: join(logs, 'deployer.log'), append: true, sync: true });
  destination.on('error', () => undefined);
  return pino({ base: null }, destination);
}
