import { createPublicKey, generateKeyPairSync, randomBytes, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { badCredentials, Refusal } from './answer.ts';
import type { Permission } from './endpoint.ts';

/** What the deployer needs, and what a fine-grained token calls it. */
export const NEEDED: Readonly<Record<string, 'read' | 'write'>> = {
  metadata: 'read',
  contents: 'write',
  statuses: 'write',
  deployments: 'write',
  pull_requests: 'write',
  issues: 'write',
  repository_hooks: 'write',
  administration: 'read',
};

/** Who asks: a token, or an App by its own JWT. */
export interface Access {
  login: string;
  permissions: Record<string, 'read' | 'write'>;
  /** An App's own identity, good for finding its installation alone. */
  app: boolean;
}

interface Token extends Access {
  secret: string;
  revoked: boolean;
  expiresAt: number;
}

export interface App {
  id: string;
  slug: string;
  privateKey: string;
  permissions: Record<string, 'read' | 'write'>;
}

/** Tokens and Apps, as they are revoked and given back. */
export class Credentials {
  readonly #tokens = new Map<string, Token>();
  #app: (App & { key: KeyObject }) | null = null;
  /** Clock in milliseconds; a test that lets tokens run out moves it. */
  now = () => Date.now();

  /** A fine-grained token with these permissions. */
  grant(
    login: string,
    permissions: Record<string, 'read' | 'write'> = NEEDED,
    how: { prefix?: string; lifetimeMs?: number } = {},
  ): string {
    const secret = `${how.prefix ?? 'github_pat_'}${randomBytes(20).toString('hex')}`;
    const expiresAt = this.now() + (how.lifetimeMs ?? 86_400_000);
    this.#tokens.set(secret, {
      secret,
      login,
      permissions: { ...permissions },
      app: false,
      revoked: false,
      expiresAt,
    });
    return secret;
  }

  revoke(secret: string): void {
    this.#get(secret).revoked = true;
  }

  restore(secret: string): void {
    this.#get(secret).revoked = false;
  }

  /** Changes one permission of a token; null takes it away. */
  permit(secret: string, name: string, level: 'read' | 'write' | null): void {
    const { permissions } = this.#get(secret);
    if (level === null) delete permissions[name];
    else permissions[name] = level;
  }

  /** Installs an App on the repository. */
  installApp(permissions: Record<string, 'read' | 'write'> = NEEDED): App {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const app = { id: '4711', slug: 'deployer', privateKey, permissions: { ...permissions } };
    this.#app = { ...app, key: createPublicKey(publicKey) };
    return app;
  }

  get app(): App | null {
    return this.#app;
  }

  /** @throws Refusal 401 */
  authenticate(header: string | undefined): Access {
    const basic = /^basic (.+)$/i.exec(header ?? '')?.[1];
    const text = basic
      ? Buffer.from(basic, 'base64')
          .toString('utf8')
          .replace(/^[^:]*:/, '')
      : undefined;
    const secret = text ?? /^(?:token|bearer) (.+)$/i.exec(header ?? '')?.[1];
    if (secret === undefined) throw new Refusal(401, 'Requires authentication');
    if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(secret) && !this.#tokens.has(secret)) return this.#byJwt(secret);
    const token = this.#tokens.get(secret);
    if (!token || token.revoked || token.expiresAt <= this.now()) throw badCredentials();
    return token;
  }

  /** docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App". */
  #byJwt(jwt: string): Access {
    const [head = '', payload = '', signature = ''] = jwt.split('.');
    const claims = z
      .object({ iss: z.union([z.string(), z.number()]), iat: z.number(), exp: z.number() })
      .safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
    const app = this.#app;
    if (!app || !claims.success || String(claims.data.iss) !== app.id)
      throw new Refusal(401, 'A JSON web token could not be decoded');
    const signed = verify(
      'sha256',
      Buffer.from(`${head}.${payload}`),
      app.key,
      Buffer.from(signature, 'base64url'),
    );
    if (!signed) throw new Refusal(401, 'A JSON web token could not be decoded');
    const seconds = this.now() / 1000;
    const { iat, exp } = claims.data;
    if (iat > seconds + 5)
      throw new Refusal(
        401,
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
      );
    if (exp < seconds || exp > seconds + 600 + 5)
      throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
    return { login: `${app.slug}[bot]`, permissions: {}, app: true };
  }

  #get(secret: string): Token {
    const token = this.#tokens.get(secret);
    if (!token) throw new Error('there is no such token');
    return token;
  }
}

/** @throws Refusal 403 as GitHub words it, naming what would be accepted */
export function demand(access: Access, permission: Permission | null | 'app'): void {
  if (permission === 'app') {
    if (!access.app) throw new Refusal(401, 'A JSON web token could not be decoded');
    return;
  }
  if (access.app) throw new Refusal(403, 'Resource not accessible by integration');
  if (permission === null || permits(access, permission)) return;
  const kind = access.login.endsWith('[bot]') ? 'integration' : 'personal access token';
  throw new Refusal(403, `Resource not accessible by ${kind}`, {
    headers: { 'x-accepted-github-permissions': `${permission[0]}=${permission[1]}` },
  });
}

export function permits(access: Access, [name, level]: Permission): boolean {
  const has = access.permissions[name];
  return has === 'write' || (has === 'read' && level === 'read');
}
