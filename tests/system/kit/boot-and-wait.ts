// A test run that does not come to its end.
import { setTimeout as sleep } from 'node:timers/promises';
import { DebianMachine } from './machine.ts';

const machine = await DebianMachine.boot({ disk: '1g' });
process.stdout.write(`${machine.name}\n`);
await sleep(600_000);
