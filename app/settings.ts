import { z } from 'zod';

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const variables = z.object({
  LISTEN: z.string().min(1),
  ENVIRONMENT: z.string().min(1),
  DATABASE_FILE: z.string().min(1),
  FILES_DIR: z.string().min(1),
  DEPLOYMENT_ID: z.string().default(''),
  RELEASE_COMMIT: z.string().default(''),
  RELEASE_TREE: z.string().default(''),
  RELEASE_BRANCH: z.string().default(''),
  DEPLOYED_AT: z.string().default(''),
  DEPLOYMENT_MODE: flag.default(false),
  RELOAD_TOKEN: z.string().min(16).optional(),
});

export type Settings = z.infer<typeof variables>;

/** Where to serve: a Unix socket's path, or a host and a port. */
export type Address = { path: string } | { host: string; port: number };

/** A setting is missing or malformed; the message is one line that names it and never holds its value. */
export class SettingsError extends Error {}

/** @throws {SettingsError} naming the first variable that is wrong, and what was expected */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const parsed = variables.safeParse(env);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = String(issue?.path[0] ?? 'the environment');
  throw new SettingsError(
    `${name} ${env[name] === undefined ? 'is not set' : `is malformed: ${issue?.message}`}`,
  );
}

/** `host:port` or `[::1]:port` is TCP, anything else the path of a Unix socket. */
export function parseAddress(listen: string): Address {
  const match = /^(?:\[(?<six>[0-9a-f:]+)\]|(?<host>[^/:]+)):(?<port>\d{1,5})$/i.exec(listen);
  if (match?.groups === undefined) return { path: listen };
  return { host: match.groups['six'] ?? match.groups['host'] ?? '', port: Number(match.groups['port']) };
}
