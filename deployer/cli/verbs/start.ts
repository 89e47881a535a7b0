import { oneLine, SettingsError } from '../../problem.ts';
import { withSettingsFile } from '../../settings-file.ts';
import { parseSettings, type Settings } from '../../settings.ts';
import { isHosts } from '../connection.ts';
import type { Io } from '../io.ts';
import { WRONG_USAGE, type Result } from '../outcome.ts';
import type { Verb } from '../verb.ts';

export const start: Verb = {
  name: 'start',
  arguments: [],
  summary: 'the daemon',
  options: { demo: { help: 'creates a local repository from this checkout, deploys dev and promotes it' } },
  async run({ args, io, wantsJson }) {
    const said = listen(io, wantsJson);
    const settings = readSettings(io);
    if (settings instanceof SettingsError) return cannotStart(oneLine(settings));
    if (process.getuid?.() === 0 && isHosts(settings.home)) return cannotStart(SERVICE);
    // The daemon's rooms are many: no other verb should wait for them.
    const { runDaemon } = await import('../../daemon.ts');
    const exitCode = await runDaemon({ settings, demo: args.flag('demo'), io: said.io });
    if (exitCode === 0) return { outcome: 'ok', details: {}, text: '' };
    return { ...cannotStart(said.last()), text: '', exitCode };
  },
};

/** What root made in that home its service could not read. */
const SERVICE = 'on this host the deployer is a service, which is not root: systemctl start deployer';

function readSettings({ env, cwd }: Pick<Io, 'env' | 'cwd'>): Settings | SettingsError {
  try {
    return parseSettings(withSettingsFile(env, cwd));
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
}

/** One line: what starts daemons by itself shows no more. */
function cannotStart(cause: string): Result {
  return { outcome: 'failed', details: { cause }, text: `deployer: ${cause}`, exitCode: WRONG_USAGE };
}

/** The daemon's last words are the cause when it could not start; with `--json` stdout is not for it. */
function listen(io: Io, wantsJson: boolean): { io: Io; last(): string } {
  let last = '';
  const stderr = {
    isTTY: io.stderr.isTTY,
    write(text: string) {
      last = text.trim().replace(/^deployer: /, '');
      return io.stderr.write(text);
    },
  };
  return { io: { ...io, stderr, stdout: wantsJson ? stderr : io.stdout }, last: () => last };
}
