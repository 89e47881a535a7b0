import { FailedError } from '../../problem.ts';

/** A unit's `EnvironmentFile=` from exact values: in double quotes systemd takes all but four characters literally (systemd.exec(5)). */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}="${value.replace(/[\\"$`]/g, '\\$&')}"\n`)
    .join('');
}

/**
 * An argv as the one variable that `ExecStart=… $VARIABLE` is split from: at white space outside of quotes (systemd.service(5)).
 * @throws FailedError for a program that `env` would take for a variable
 */
export function commandVariable(argv: readonly string[]): string {
  if (argv[0]?.includes('=')) throw new FailedError(`cannot start ${JSON.stringify(argv[0])}: it has a =`);
  return argv.map((word) => `"${word.replace(/[\\"]/g, '\\$&')}"`).join(' ');
}

/** The same file with another DEPLOYMENT_MODE. */
export function readOnlyAs(file: string, readOnly: boolean): string {
  return file.replace(/^DEPLOYMENT_MODE=.*$/m, `DEPLOYMENT_MODE="${readOnly}"`);
}
