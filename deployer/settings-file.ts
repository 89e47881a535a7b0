import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf, SettingsError } from './problem.ts';
import { SETTINGS } from './settings.ts';

/** Where `init` keeps what it was told, for `start` to read. */
export interface KeptSettings {
  location: string;
  /** @throws SettingsError */
  read(): Promise<Record<string, string>>;
  /** What is there besides stays. @returns whether it is as it was */
  write(values: Readonly<Record<string, string>>): Promise<boolean>;
  /** What makes the deployer read it. */
  next: string;
}

/**
 * `$DEPLOYER_HOME/settings.env`, which `init` writes: `NAME=value` lines as systemd reads an EnvironmentFile
 * (systemd.exec(5)), `#` before a comment, quotes around a value that has blanks or lines.
 */

export const settingsFileOf = (home: string) => join(home, 'settings.env');

/**
 * The environment, and what the home's settings file adds to it: a variable that is set wins.
 * @param cwd what a relative home is relative to
 * @throws SettingsError for a file that cannot be read, naming the line
 */
export function withSettingsFile(env: NodeJS.ProcessEnv, cwd = process.cwd()): NodeJS.ProcessEnv {
  const file = settingsFileOf(resolve(cwd, env['DEPLOYER_HOME'] || '.deployer'));
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return { ...readSettingsFile(file), ...Object.fromEntries(set) };
}

/** Empty when there is none. @throws SettingsError */
export function readSettingsFile(file: string): Record<string, string> {
  return parseSettingsFile(readText(file) ?? '', file);
}

/** null when there is none. @throws SettingsError */
export function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw new SettingsError(`the settings cannot be read (${codeOf(error)}): ${file}`);
  }
}

/** Variables of any name, written in the same way; null when there is no such file. @throws SettingsError */
export function readVariables(file: string): Record<string, string> | null {
  const text = readText(file);
  return text === null ? null : parseVariables(text, file, () => true);
}

function parseSettingsFile(text: string, file: string): Record<string, string> {
  const known = new Set(SETTINGS.map(({ name }) => name));
  return parseVariables(text, file, (name) => known.has(name) && name !== 'DEPLOYER_HOME');
}

const LINE =
  /^[ \t]*(?:[#;].*|([A-Z_][A-Z0-9_]*)=(?:"((?:[^"\\]|\\[^])*)"|'([^']*)'|([^"'\n]*))[ \t]*)?(?:\r?\n|$)/;

function parseVariables(
  text: string,
  file: string,
  isKept: (name: string) => boolean,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (let rest = text, line = 1; rest !== '';) {
    const match = LINE.exec(rest);
    const [whole = '', name, double, single, bare] = match ?? [];
    if (!match || (name !== undefined && !isKept(name))) {
      // Never the line itself: it may be a secret.
      const what = name === undefined ? 'expected NAME=value' : `${name} is no setting that is kept here`;
      throw new SettingsError(`${file}:${line}: ${what}`);
    }
    if (name !== undefined)
      found[name] = double?.replaceAll(/\\([\\"$`])/g, '$1') ?? single ?? (bare ?? '').trim();
    rest = rest.slice(whole.length);
    line += whole.split('\n').length - 1;
  }
  return found;
}

/** The text with these values: the lines of others, and comments, stay as they are. */
export function updatedText(text: string, values: Readonly<Record<string, string>>, file: string): string {
  const present = parseSettingsFile(text, file);
  const changed = Object.entries(values).filter(([name, value]) => present[name] !== value);
  return changed.reduce((now, [name, value]) => withLine(now, name, `${name}=${quoted(value)}\n`), text);
}

function withLine(text: string, name: string, line: string): string {
  const start = new RegExp(`^[ \\t]*${name}=`, 'm').exec(text)?.index;
  if (start === undefined) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}`;
  const length = LINE.exec(text.slice(start))?.[0].length ?? 0;
  return text.slice(0, start) + line + text.slice(start + length);
}

function quoted(value: string): string {
  return /^[\w./:@-]*$/.test(value) ? value : `"${value.replaceAll(/[\\"$`]/g, '\\$&')}"`;
}
