import { parseInvocation, USAGE, UsageError } from './arguments.ts';
import { renderReport } from './report.ts';
import { verify } from './verify.ts';

export interface Output {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
}

/** Runs the program and returns its exit code: 0 all is well, 1 it is not, 2 wrong usage. */
export async function main(argv: string[], env: NodeJS.ProcessEnv, output: Output): Promise<number> {
  try {
    const invocation = parseInvocation(argv);
    const report = await verify(invocation, env);
    output.stdout.write(invocation.json ? `${JSON.stringify(report)}\n` : renderReport(report));
    return report.success ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.stderr.write(`verify: ${error.message}\n\n${USAGE}`);
    return 2;
  }
}
