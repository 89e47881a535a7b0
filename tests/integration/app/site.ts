import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { z } from 'zod';
import { createUser, grantRole } from '../../../app/accounts/register.ts';
import { startSession } from '../../../app/accounts/sessions.ts';
import type { Role } from '../../../app/accounts/users.ts';
import { openDatabase, type Database } from '../../../app/database/database.ts';
import { serve } from '../../../app/serve.ts';
import { readSettings } from '../../../app/settings.ts';
import { main as migrate } from '../../../migrations/main.ts';

const listening = z.object({ port: z.number() });

const NOBODY = { actorId: null, deploymentId: 'test', requestId: 'test' };

let template: string | undefined;

/** A directory with a freshly migrated database in it; migrated once, copied then. */
export async function freshData(): Promise<{ directory: string; file: string; remove: () => void }> {
  template ??= await migratedTemplate();
  const directory = mkdtempSync(path.join(tmpdir(), 'datatracker-'));
  const file = path.join(directory, 'datatracker.db');
  copyFileSync(template, file);
  return { directory, file, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

async function migratedTemplate(): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), 'datatracker-template-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'datatracker.db');
  await migrateTo(file, ['up']);
  return file;
}

export async function migrateTo(file: string, argv: string[]): Promise<void> {
  let said = '';
  const sink = { write: (text: string) => (said += text) };
  const code = await migrate(argv, { DATABASE_FILE: file }, { stdout: sink, stderr: sink });
  if (code !== 0) throw new Error(said);
}

export interface Site {
  url: string;
  database: Database;
  file: string;
  files: string;
  /** The server's time, which stands still until it is moved. */
  clock: { now: Date };
  visitor: () => Browser;
  /** Somebody with an account, signed in. Roles hold everywhere. */
  member: (name: string, ...roles: Role[]) => Promise<Browser>;
  close: () => Promise<void>;
}

/** The whole application in this process, on a database of its own. */
export async function startSite(env: Record<string, string> = {}): Promise<Site> {
  const { directory, file, remove } = await freshData();
  const clock = { now: new Date('2026-05-04T12:00:00.000Z') };
  const files = path.join(directory, 'files');
  const settings = readSettings({
    LISTEN: '127.0.0.1:0',
    ENVIRONMENT: 'dev',
    DATABASE_FILE: file,
    FILES_DIR: files,
    ...env,
  });
  const running = await serve(settings, { clock: () => clock.now, log: pino({ level: 'silent' }) });
  const { port } = listening.parse(running.server.address());
  const url = `http://127.0.0.1:${port}`;
  const database = openDatabase(file, false);
  return {
    url,
    database,
    file,
    files,
    clock,
    visitor: () => new Browser(url),
    member: (name, ...roles) => signIn(url, database, clock.now, name, roles),
    close: async () => {
      await running.stop();
      await database.close();
      remove();
    },
  };
}

async function signIn(
  url: string,
  database: Database,
  now: Date,
  name: string,
  roles: Role[],
): Promise<Browser> {
  const email = `${name.toLowerCase().replaceAll(' ', '.')}@example.org`;
  return database.write(NOBODY, async (trx) => {
    const id = await createUser(trx, { name, email, passwordHash: 'none' }, now);
    if (id === null) throw new Error(`${name} is there already`);
    for (const role of roles) await grantRole(trx, id, role, null, now);
    const browser = new Browser(url, id);
    browser.cookies.set('session', await startSession(trx, id, null, now));
    return browser;
  });
}

export interface Answer {
  status: number;
  headers: Headers;
  body: string;
  location: string | null;
}

/** A browser without JavaScript: keeps cookies, fills in the form token, does not follow redirects by itself. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly userId: number;
  readonly #url: string;

  constructor(url: string, userId = 0) {
    this.#url = url;
    this.userId = userId;
  }

  get(address: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send(address, { headers });
  }

  /** Posts a form; the token comes from the start page unless the fields bring one. */
  async post(
    address: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const body = new URLSearchParams({ csrf: await this.token(), ...fields });
    return this.send(address, { method: 'POST', body, headers });
  }

  async upload(
    address: string,
    fields: Record<string, string>,
    file?: { name: string; content: string | Uint8Array<ArrayBuffer> },
  ): Promise<Answer> {
    const body = new FormData();
    for (const [name, value] of Object.entries({ csrf: await this.token(), ...fields }))
      body.append(name, value);
    if (file !== undefined) body.append('file', new File([file.content], file.name));
    return this.send(address, { method: 'POST', body });
  }

  async token(): Promise<string> {
    const { body } = await this.get('/');
    return /name="csrf" value="([^"]+)"/.exec(body)?.[1] ?? '';
  }

  async follow(answer: Answer): Promise<Answer> {
    let current = answer;
    while (current.location !== null) current = await this.get(current.location);
    return current;
  }

  async send(address: string, init: RequestInit): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = new Headers(init.headers);
    headers.set('cookie', cookie);
    const response = await fetch(this.#url + address, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const body = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body,
      location: response.headers.get('location'),
    };
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';');
    const [name = '', value = ''] = pair.split('=');
    if (line.includes('Max-Age=0')) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

export const DRAFT = {
  name: 'draft-rivera-presence',
  rev: '00',
  title: 'Presence on Pages',
  abstract: 'How readers notice each other.',
  authors: 'Ana Rivera <ana.rivera@example.org>',
  text: '# Presence\n\nReaders *notice* each other.\n\n## Security Considerations\n\nNone.',
};

/** Submits and confirms; resolves to the submission's id. */
export async function postDraft(author: Browser, fields: Partial<typeof DRAFT> = {}): Promise<string> {
  const checked = await author.upload('/submit/', { ...DRAFT, ...fields });
  const id = /\/submit\/status\/(\d+)\//.exec(checked.location ?? '')?.[1];
  if (id === undefined) throw new Error(`not accepted (${checked.status}): ${checked.body}`);
  const confirmed = await author.post(`/submit/status/${id}/confirm/`);
  if (confirmed.status !== 302) throw new Error(`not confirmed (${confirmed.status}): ${confirmed.body}`);
  return id;
}
