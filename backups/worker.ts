import { parentPort } from 'node:worker_threads';
import { backupJobs } from './jobs.ts';
import { serveJobs } from './thread/serve.ts';

if (parentPort !== null) serveJobs(parentPort, backupJobs);
