export { runDaemon, type DaemonIo } from './daemon/run.ts';
