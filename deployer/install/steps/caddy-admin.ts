import { writeAtomically } from '../../release/files.ts';
import type { Step } from '../step.ts';
import { linesOf } from './line.ts';

/**
 * Where Caddy is told what to serve: by default whoever reaches loopback may, every release and every installation among
 * them. It stands in the options at the top of its file, which may be there: https://caddyserver.com/docs/caddyfile/options.
 */
export function caddyAdmin(path: string, address: string): Step {
  const option = `admin ${address}`;
  const line = `\t${option}`;
  return {
    title: `option "${option}" at the top of ${path}`,
    made: { kind: 'line', path, line },
    reloads: 'caddy-restart',
    async check() {
      const said = optionsIn(await linesOf(path))?.admin;
      if (said === undefined) return 'missing';
      return /^admin\s+(off|unix\/)/.test(said) ? null : `it is "${said}"`;
    },
    apply: async () => writeAtomically(path, `${withOption(await linesOf(path), line).join('\n')}\n`),
  };
}

function withOption(lines: string[], line: string): string[] {
  const options = optionsIn(lines);
  if (options === null) return ['{', line, '}', ...lines];
  const { begin, admin } = options;
  if (admin === undefined) return lines.toSpliced(begin + 1, 0, line);
  // What follows it may be a block of its own.
  const at = lines.findIndex((each, index) => index > begin && each.trim() === admin);
  return lines.with(at, `${line}${admin.replace(/^admin\s+[^\s{]*/, '')}`);
}

/** The block of options, which only comments may precede; null: there is none. */
function optionsIn(lines: string[]): { begin: number; admin: string | undefined } | null {
  const begin = lines.findIndex((line) => !/^\s*(#.*)?$/.test(line));
  if (lines[begin]?.trim() !== '{') return null;
  const end = lines.findIndex((line, at) => at > begin && line.startsWith('}'));
  const inside = lines.slice(begin + 1, end === -1 ? undefined : end);
  return { begin, admin: inside.map((line) => line.trim()).find((line) => /^admin\s/.test(line)) };
}
