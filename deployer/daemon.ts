export { runDaemon } from './daemon/run.ts';
