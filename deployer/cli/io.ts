/** Where the command line reads and writes, so that a test can hold it. */
export interface Io {
  stdout: Output;
  stderr: Output;
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal;
}

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
}
