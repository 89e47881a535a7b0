import { COMMAND } from '../command.ts';
import { FailedError, RefusedError, SettingsError, UsageError, oneLine } from '../problem.ts';
import type { Result } from './outcome.ts';
import { WRONG_USAGE } from './outcome.ts';

/** Any thrown value as the result of the verb: what went wrong, where, and what next; `usage` is what would be right. */
export function toResult(error: unknown, where: string, usage: string, isInterrupted: boolean): Result {
  if (isInterrupted) {
    return failure(
      'failed',
      'interrupted; what the deployer was asked for goes on',
      where,
      `${COMMAND} status`,
    );
  }
  if (error instanceof UsageError) {
    return failure('failed', oneLine(error), where, usage, WRONG_USAGE);
  }
  if (error instanceof SettingsError) {
    return failure('failed', oneLine(error), where, 'set it, then start again', WRONG_USAGE);
  }
  if (error instanceof RefusedError) return failure('refused', oneLine(error), where, `${COMMAND} status`);
  if (error instanceof ConnectionError) return failure('failed', oneLine(error), error.where, error.next);
  if (error instanceof FailedError) return failure('failed', oneLine(error), where, `${COMMAND} status`);
  const what = `a defect of the command line: ${oneLine(error)}`;
  return failure('failed', what, where, 'report it with the output of DEBUG=1');
}

/** The daemon and we do not understand each other; says where that is and what next. */
export class ConnectionError extends FailedError {
  override name = 'ConnectionError';
  readonly where: string;
  readonly next: string;

  constructor(message: string, where: string, next: string, options?: ErrorOptions) {
    super(message, options);
    this.where = where;
    this.next = next;
  }
}

/** The daemon does not answer; it may later. */
export class UnreachableError extends ConnectionError {
  override name = 'UnreachableError';
}

function failure(
  outcome: 'failed' | 'refused',
  cause: string,
  where: string,
  next: string,
  exitCode?: number,
) {
  return {
    outcome,
    details: { cause, where, next },
    text: `${cause}\n  where  ${where}\n  next   ${next}`,
    ...(exitCode !== undefined && { exitCode }),
  };
}
