import { StringDecoder } from 'node:string_decoder';

const LONGEST = 8192;
const CONTROL = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Cuts bytes into lines without control characters; a line longer than 8 KB comes in pieces, so that memory is bounded. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #take: (line: string) => void;
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(bytes: Buffer): void {
    this.#split(this.#decoder.write(bytes));
  }

  end(): void {
    this.#split(this.#decoder.end());
    if (this.#rest !== '') this.#emit(this.#rest);
    this.#rest = '';
  }

  #split(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#emit(line);
    while (this.#rest.length > LONGEST) {
      this.#emit(this.#rest.slice(0, LONGEST));
      this.#rest = this.#rest.slice(LONGEST);
    }
  }

  #emit(line: string): void {
    this.#take(line.replace(CONTROL, ''));
  }
}

/** The last lines that were added, at most `limit` characters in all. */
export class Tail {
  readonly #limit: number;
  #lines: string[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(line: string): void {
    const kept = line.slice(0, this.#limit - 1);
    this.#lines.push(kept);
    this.#length += kept.length + 1;
    while (this.#length > this.#limit) this.#length -= (this.#lines.shift()?.length ?? 0) + 1;
  }

  toString(): string {
    return this.#lines.join('\n');
  }
}
