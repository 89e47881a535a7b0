import { parentPort } from 'node:worker_threads';
import { serveJobs } from '../../../backups/thread/serve.ts';
import { dataJobs } from './jobs.ts';

if (parentPort !== null) serveJobs(parentPort, dataJobs);
