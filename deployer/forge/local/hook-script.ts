import { join } from 'node:path';

/** The repository's post-receive hook: a few lines of sh that hand over to post-receive.ts in the deployer's runtime. */

const MARK = '# Written by the deployer at each start. A hook of your own: remove this line.';

export function isOurHook(script: string): boolean {
  return script.includes(MARK);
}

/** The push is done when this runs: nothing here may make it look failed, not even a deployer that has moved away. */
export function hookScript({ home, url }: { home: string; url: string }): string {
  const program = join(import.meta.dirname, 'post-receive.ts');
  return [
    '#!/bin/sh',
    MARK,
    `runtime=${quoted(process.execPath)}`,
    `program=${quoted(program)}`,
    // The push waits for this program: compiled once, it starts in half the time.
    `export NODE_COMPILE_CACHE=${quoted(join(home, 'cache', 'hook'))}`,
    '[ -x "$runtime" ] && [ -r "$program" ] || exit 0',
    `"$runtime" "$program" ${quoted(home)} ${quoted(url)}`,
    'exit 0',
    '',
  ].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
