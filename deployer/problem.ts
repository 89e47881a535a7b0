/** Errors that carry a decision. Everything else that is thrown is a defect. */

/** The person or program that asked can mend it: wrong usage, an unknown name. One line: what, where, what next. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** A setting is missing or malformed; the start stops with this line and exit code 2. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** A gate, a lock or a quarantine said no. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

/** Did not do it, for a reason that the operator can read; nothing that was live changed. */
export class FailedError extends Error {
  override name = 'FailedError';
}

/** By no fault of what was asked for: a full disk, a lock, the network. Asked for again, the same may be done. */
export class TransientError extends FailedError {
  override name = 'TransientError';
}

/** A registry or the forge did not answer. */
export class UnreachableError extends TransientError {
  override name = 'UnreachableError';
}

/** A process of the deployer's own ended in the middle of it: nothing is known to be wrong, and it may be begun anew. */
export class CutOffError extends Error {
  override name = 'CutOffError';
}

/** The system's code of an error (`ENOENT`, `SQLITE_BUSY`), or undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Any thrown value as one line without control characters, at most `limit` characters. */
export function oneLine(error: unknown, limit = 400): string {
  const text = error instanceof Error ? error.message : String(error);
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  // What turns the direction of the text that follows it.
  const clean = plain.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').trim();
  // Cut between the two halves of a character, or written so, it would be no text that JSON may carry.
  return (clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean).toWellFormed();
}
