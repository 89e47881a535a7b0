import { execa } from 'execa';

/** sd_notify(3), by systemd's own program: Node has no datagram sockets of the Unix kind. */
export interface Notifier {
  /** What may be said: `READY=1`, `STATUS=…`, `WATCHDOG=1`, `STOPPING=1`. Never throws: whoever does not listen needs not know. */
  tell(...states: readonly string[]): Promise<void>;
  /** Milliseconds within which systemd wants a `WATCHDOG=1`, null when it does not. */
  watchdogMs: number | null;
}

/** Harmless where no unit of `Type=notify` runs us. */
export function notifier(env: NodeJS.ProcessEnv): Notifier {
  const socket = env['NOTIFY_SOCKET'];
  const watchdogMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1000 || null;
  return {
    watchdogMs: socket ? watchdogMs : null,
    async tell(...states) {
      if (!socket) return;
      await execa('systemd-notify', [...states], {
        env: { NOTIFY_SOCKET: socket, PATH: '/usr/bin:/bin' },
        extendEnv: false,
        stdio: 'ignore',
        reject: false,
      });
    },
  };
}
