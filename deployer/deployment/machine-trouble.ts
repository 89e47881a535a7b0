import { codeOf, oneLine } from '../problem.ts';

/** Trouble that no commit is to blame for, told from an error's code or words: here alone. */

export const DISK_FULL = 'DEPLOYER_HOME: the disk is full: make room, and deploy again';

/** SQLite's word for it, and the system's. */
const CODES = new Set(['SQLITE_FULL', 'ENOSPC']);
/** As the programs of a release say it. */
const WORDS = /\bENOSPC\b|disk is full|no space left on device/i;

export const isDiskFull = (error: unknown): boolean => CODES.has(codeOf(error) ?? '');

/** Also where a program of the release could not go on: nothing is wrong that room would not mend. */
export const lacksRoom = (error: unknown): boolean => isDiskFull(error) || WORDS.test(oneLine(error));

const OF_THE_MACHINE =
  /^(ENOSPC|EDQUOT|EROFS|EIO|EMFILE|ENFILE|ENOMEM|SQLITE_(FULL|BUSY|LOCKED|IOERR|NOMEM)(_.+)?)$/;

/** With the deployer's own files and databases, a full disk among it. */
export const isOfTheMachine = (error: unknown): boolean => OF_THE_MACHINE.test(codeOf(error) ?? '');
