import { main } from '../../../deployer/cli/main.ts';
import { TOKEN } from '../web/serve.ts';
import type { Served } from '../web/serve.ts';

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

interface Options {
  web?: Pick<Served, 'port'>;
  env?: NodeJS.ProcessEnv;
  isTTY?: boolean;
  cwd?: string;
  signal?: AbortSignal;
  /** Called with all of stdout so far. */
  onOutput?: (text: string) => void;
  /** Called with all of stderr so far. */
  onLog?: (text: string) => void;
}

/** The command line in this process, with the settings of a test only. */
export async function runCli(argv: string[], options: Options = {}): Promise<Ran> {
  const {
    web,
    env,
    isTTY = false,
    cwd = '/',
    signal = new AbortController().signal,
    onOutput,
    onLog,
  } = options;
  const ran: Ran = { code: -1, stdout: '', stderr: '' };
  const address: NodeJS.ProcessEnv = web
    ? { DEPLOYER_LISTEN: `127.0.0.1:${web.port}`, DEPLOYER_ADMIN_TOKEN: TOKEN }
    : {};
  ran.code = await main(argv, {
    stdout: {
      isTTY,
      write(text: string) {
        ran.stdout += text;
        onOutput?.(ran.stdout);
      },
    },
    stderr: {
      isTTY,
      write(text: string) {
        ran.stderr += text;
        onLog?.(ran.stderr);
      },
    },
    env: { ...address, ...env },
    cwd,
    signal,
  });
  return ran;
}
