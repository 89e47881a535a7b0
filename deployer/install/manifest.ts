import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { codeOf, FailedError } from '../problem.ts';
import { writeAtomically } from '../release/files.ts';
import { madeSchema, RELOADS, type Made, type Reload } from './step.ts';

const schema = z.strictObject({
  /** In the order in which it was made. */
  made: z.array(madeSchema),
  /** What has not heard of a change yet: an install was interrupted. */
  due: z.array(z.enum(RELOADS)),
});

type Content = z.output<typeof schema>;

/** What install has put onto this machine, so that uninstall takes away that and nothing else. */
export class InstallManifest {
  readonly #path: string;
  #content: Content;

  private constructor(path: string, content: Content) {
    this.#path = path;
    this.#content = content;
  }

  /** @throws FailedError when it cannot be understood */
  static async open(path: string): Promise<InstallManifest> {
    try {
      return new InstallManifest(path, schema.parse(JSON.parse(await readFile(path, 'utf8'))));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return new InstallManifest(path, { made: [], due: [] });
      throw new FailedError(`${path} is damaged: run install again after moving it away`, { cause: error });
    }
  }

  get made(): readonly Made[] {
    return this.#content.made;
  }

  get due(): readonly Reload[] {
    return this.#content.due;
  }

  /** Before it is done: what is half made is taken away as well. */
  async note({ made, reloads }: { made: Made | null; reloads?: Reload | undefined }): Promise<void> {
    const { made: before, due } = this.#content;
    const isNew = made !== null && !before.some((each) => isDeepStrictEqual(each, made));
    const isDue = reloads !== undefined && !due.includes(reloads);
    if (!isNew && !isDue) return;
    await this.#write({ made: isNew ? [...before, made] : before, due: isDue ? [...due, reloads] : due });
  }

  async heard(reload: Reload): Promise<void> {
    await this.#write({ ...this.#content, due: this.due.filter((each) => each !== reload) });
  }

  /** What is not there any more. */
  async forget(gone: (made: Made) => boolean): Promise<void> {
    await this.#write({ ...this.#content, made: this.made.filter((each) => !gone(each)) });
  }

  async #write(content: Content): Promise<void> {
    this.#content = content;
    // A purge takes the settings, and this with them; what is left then is only to tell others.
    if (!existsSync(dirname(this.#path))) return;
    if (content.made.length === 0 && content.due.length === 0) await rm(this.#path, { force: true });
    else await writeAtomically(this.#path, `${JSON.stringify(content, null, 2)}\n`);
  }
}
