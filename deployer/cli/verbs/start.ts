import { parseSettings } from '../../settings.ts';
import type { Io } from '../io.ts';
import type { Verb } from '../verb.ts';

export const start: Verb = {
  name: 'start',
  arguments: [],
  summary: 'the daemon',
  options: { demo: { help: 'creates a local repository from this checkout, deploys dev and promotes it' } },
  async run({ args, io, wantsJson }) {
    const settings = parseSettings(io.env);
    const said = listen(io, wantsJson);
    // The daemon's rooms are many: no other verb should wait for them.
    const { runDaemon } = await import('../../daemon.ts');
    const exitCode = await runDaemon({ settings, demo: args.flag('demo'), io: said.io });
    if (exitCode === 0) return { outcome: 'ok', details: {}, text: '' };
    return { outcome: 'failed', details: { cause: said.last() }, text: '', exitCode };
  },
};

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
