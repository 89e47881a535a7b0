import { parentPort } from 'node:worker_threads';
import { digestJobs } from './large.ts';
import { serveJobs } from './thread/serve.ts';

if (parentPort !== null) serveJobs(parentPort, digestJobs);
