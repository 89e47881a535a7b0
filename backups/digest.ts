import { hash } from 'node:crypto';

/** A value as better-sqlite3 gives it with `safeIntegers`: the JavaScript type then is SQLite's storage class. */
export type Value = null | bigint | number | string | Buffer;

/** Row count and order-independent digest of one table: 64 hexadecimal digits. */
export interface TableDigest {
  rows: number;
  digest: string;
}

const LIMBS = 8;
const LIMB = 2 ** 32;
/** A limb takes 2^21 additions before it would leave the exact integers of a double. */
const CARRY_EVERY = 2 ** 20;
const HEADER = 9;

/**
 * The digest of a table's rows, whatever their order: the SHA-256 of each row, added as big-endian unsigned
 * integers modulo 2^256. A row is, for every column of `SELECT *`: one byte for the storage class (`n` null,
 * `i` integer, `r` real, `t` text, `b` blob), the length of the value in bytes as 64 bits big-endian, and the
 * value: an integer in decimal, a real as `toPrecision(17)` writes it, text in UTF-8, a blob as it is.
 * @param fetched rows in any order, each once
 */
export function digestRows(fetched: Iterable<readonly Value[]>): TableDigest {
  const encoder = new RowEncoder();
  const sum = new Float64Array(LIMBS);
  let rows = 0;
  for (const row of fetched) {
    // One character a byte: a string is made in half the time of a buffer.
    const digest = hash('sha256', encoder.encode(row), 'latin1');
    for (let limb = 0; limb < LIMBS; limb++) sum[limb] = (sum[limb] ?? 0) + limbAt(digest, limb * 4);
    rows++;
    if (rows % CARRY_EVERY === 0) carry(sum);
  }
  carry(sum);
  return { rows, digest: Array.from(sum, (limb) => limb.toString(16).padStart(8, '0')).join('') };
}

/** 32 bits big-endian. */
const limbAt = (bytes: string, at: number): number =>
  bytes.charCodeAt(at) * 2 ** 24 +
  bytes.charCodeAt(at + 1) * 2 ** 16 +
  bytes.charCodeAt(at + 2) * 2 ** 8 +
  bytes.charCodeAt(at + 3);

/** Brings each limb back under 2^32; what leaves the first one is the modulus. */
function carry(sum: Float64Array): void {
  let over = 0;
  for (let limb = LIMBS - 1; limb >= 0; limb--) {
    const total = (sum[limb] ?? 0) + over;
    sum[limb] = total % LIMB;
    over = Math.floor(total / LIMB);
  }
}

/** Writes rows into one buffer that is used again, so that a million rows leave no garbage. */
class RowEncoder {
  #buffer = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  encode(row: readonly Value[]): Buffer {
    this.#length = 0;
    for (const value of row) this.#add(value);
    return this.#buffer.subarray(0, this.#length);
  }

  #add(value: Value): void {
    if (value === null) this.#text('n', '');
    else if (typeof value === 'bigint') this.#text('i', value.toString());
    else if (typeof value === 'number') this.#text('r', value.toPrecision(17));
    else if (typeof value === 'string') this.#text('t', value);
    else this.#blob(value);
  }

  #text(letter: string, text: string): void {
    // UTF-8 needs at most three bytes for each UTF-16 unit.
    this.#reserve(HEADER + text.length * 3);
    const bytes = this.#buffer.write(text, this.#length + HEADER, 'utf8');
    this.#header(letter, bytes);
  }

  #blob(blob: Buffer): void {
    this.#reserve(HEADER + blob.length);
    blob.copy(this.#buffer, this.#length + HEADER);
    this.#header('b', blob.length);
  }

  #header(letter: string, bytes: number): void {
    this.#buffer.write(letter, this.#length, 'latin1');
    this.#buffer.writeUInt32BE(0, this.#length + 1); // SQLite's values stay under 2^31 bytes
    this.#buffer.writeUInt32BE(bytes, this.#length + 5);
    this.#length += HEADER + bytes;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(needed * 2);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
