import { statfsSync } from 'node:fs';

/** What stays free for the data of what is live: nothing begins with less, and no command of a release may take it. */
export const LEAST_FREE_BYTES = 100 * 1024 ** 2;

/** Bytes that are free on the disk of a directory. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** The operator's sentence. */
export const noSpace = (free: number, needed: number): string =>
  `not enough disk space in DEPLOYER_HOME: ${megabytes(free)} free, ${megabytes(needed)} needed`;

const megabytes = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MB`;
