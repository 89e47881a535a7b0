import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { redactAll, type Redact } from '../redaction.ts';
import type { Settings } from '../settings.ts';

const STDOUT = 1;

/**
 * The daemon's own log, one JSON object a line: to the journal where systemd runs things, else `<home>/logs/deployer.log`.
 * A line that cannot be written, on a full disk say, is no reason to end.
 */
export function openLog({ home, services }: Pick<Settings, 'home' | 'services'>, redact: Redact): Logger {
  const logs = join(home, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const dest = services === 'systemd' ? STDOUT : join(logs, 'deployer.log');
  const destination = pino.destination({ dest, append: true, sync: true });
  destination.on('error', () => undefined);
  return pino(
    {
      base: null,
      serializers: { err: (error) => redactAll(plain(error), redact) },
      hooks: {
        logMethod(args, method) {
          method.apply(this, redactAll(args, redact));
        },
      },
    },
    destination,
  );
}

const plain = (error: unknown) => (error instanceof Error ? { ...pino.stdSerializers.err(error) } : error);
