import { hash } from 'node:crypto';

/** A value as SQLite stores it; integers as bigint, so that 1 and 1.0 stay different. */
export type Value = null | bigint | number | string | Uint8Array;

export interface TableDigest {
  rows: number;
  /** 64 hexadecimal digits. */
  digest: string;
}

const LIMBS = 8;
const LIMB = 2n ** 32n;
/** Sums of so many 32-bit numbers are still exact in a double. */
const CARRY_EVERY = 2 ** 20;

/**
 * The digest of a table, whatever its row order: each row's SHA-256, added as 256-bit integers modulo 2^256.
 * A row is its columns in declared order, each as one letter for the type (n, i, r, t, b), the length as 8
 * bytes big-endian, and the bytes: integers in decimal, reals with 17 significant digits, text as UTF-8.
 */
export function tableDigester() {
  const limbs = new Float64Array(LIMBS);
  let total = 0n;
  let rows = 0;
  return {
    add(row: readonly Value[]): void {
      const sha256 = hash('sha256', Buffer.concat(row.flatMap(encode)), 'buffer');
      for (let limb = 0; limb < LIMBS; limb++)
        limbs[limb] = (limbs[limb] ?? 0) + sha256.readUInt32BE(limb * 4);
      rows += 1;
      if (rows % CARRY_EVERY === 0) total += drain(limbs);
    },
    finish(): TableDigest {
      total += drain(limbs);
      return { rows, digest: (total % 2n ** 256n).toString(16).padStart(64, '0') };
    },
  };
}

/** The sum in the limbs, most significant first; they are zero afterwards. */
function drain(limbs: Float64Array): bigint {
  const sum = limbs.reduce((value, limb) => value * LIMB + BigInt(limb), 0n);
  limbs.fill(0);
  return sum;
}

function encode(value: Value): Uint8Array[] {
  if (value === null) return field('n', Buffer.alloc(0));
  if (typeof value === 'bigint') return field('i', Buffer.from(value.toString()));
  if (typeof value === 'number') return field('r', Buffer.from(value.toPrecision(17)));
  if (typeof value === 'string') return field('t', Buffer.from(value));
  return field('b', value);
}

function field(letter: string, bytes: Uint8Array): Uint8Array[] {
  const header = Buffer.alloc(9);
  header.write(letter, 'latin1');
  header.writeBigUInt64BE(BigInt(bytes.length), 1);
  return [header, bytes];
}
