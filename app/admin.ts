import { existsSync } from 'node:fs';
import { z } from 'zod';
import { grantRole, revokeRole } from './accounts/register.ts';
import { openDatabase } from './database/database.ts';
import { emailAddress } from './http/text.ts';

const USAGE = `usage: node app/admin.ts grant|revoke EMAIL author|chair|approver|administrator

  Gives an account a role that holds everywhere, or takes it away. The database is $DATABASE_FILE.
`;

const invocation = z.tuple([
  z.enum(['grant', 'revoke']),
  emailAddress,
  z.enum(['author', 'chair', 'approver', 'administrator']),
]);

export interface Output {
  out: (text: string) => void;
  error: (text: string) => void;
}

/** Resolves to the exit code: 0 done, 1 no such account, 2 wrong usage, 3 not now. */
export async function main(argv: string[], env: NodeJS.ProcessEnv, output: Output): Promise<number> {
  const parsed = invocation.safeParse(argv);
  if (!parsed.success) {
    output.error(USAGE);
    return 2;
  }
  const file = env['DATABASE_FILE'] ?? '';
  if (!existsSync(file)) {
    output.error('admin: DATABASE_FILE is not set to an existing database\n');
    return 2;
  }
  if (env['DEPLOYMENT_MODE'] === 'true') {
    output.error('admin: DEPLOYMENT_MODE is on; nothing may be changed until this release is live\n');
    return 3;
  }
  const [verb, email, role] = parsed.data;
  const database = openDatabase(file, false);
  try {
    const origin = { actorId: null, deploymentId: env['DEPLOYMENT_ID'] ?? '', requestId: 'command line' };
    const found = await database.write(origin, async (trx) => {
      const user = await trx('users').where({ email }).first<{ id: number } | undefined>('id');
      if (user === undefined) return false;
      if (verb === 'grant') await grantRole(trx, user.id, role, null, new Date());
      else await revokeRole(trx, user.id, role, null);
      return true;
    });
    if (!found) {
      output.error(
        `admin: nobody is registered as ${email}; they can create the account at /accounts/create/\n`,
      );
      return 1;
    }
    output.out(`${email}: ${role} ${verb === 'grant' ? 'granted' : 'revoked'}\n`);
    return 0;
  } finally {
    await database.close();
  }
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2), process.env, {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
  });
}
