// The intake alone in a process, so that its memory can be measured: prints its port, ends with its standard input.
import { createServer } from 'node:http';
import express from 'express';
import { pino } from 'pino';
import { intake } from '../../../deployer/intake/intake.ts';
import { openState } from '../../../deployer/state.ts';

if (import.meta.main) {
  const [home = '', secret = ''] = process.argv.slice(2);
  const app = express();
  app.post(
    '/webhooks/github',
    intake({
      state: await openState({ home, databaseUrl: null }),
      secrets: [secret],
      owns: undefined,
      onDelivery: () => {},
      clock: () => new Date(),
      logger: pino({ level: 'silent' }),
    }),
  );
  const server = createServer(app);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
  });
  process.stdin.resume().on('end', () => process.exit(0));
}
