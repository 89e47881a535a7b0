import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { hashPassword } from './accounts/password.ts';
import type { Output } from './admin.ts';
import { openDatabase } from './database/database.ts';
import { fileStore } from './documents/files.ts';
import { emailOf, PEOPLE } from './seed/people.ts';
import { tellStory } from './seed/story.ts';

const USAGE = `usage: npm run seed -- ENVIRONMENT [--yes-really]

  Makes believable sample data: groups, people, drafts in all states, comments.
  The database is $DATABASE_FILE with its $FILES_DIR, or the live one of that environment
  below $DEPLOYER_HOME (default: .deployer). prod needs --yes-really.
`;

/** Resolves to the exit code: 0 done, 1 there is data already, 2 wrong usage or no database, 3 refused. */
export async function main(argv: string[], env: NodeJS.ProcessEnv, output: Output): Promise<number> {
  const really = argv.includes('--yes-really');
  const [environment, ...rest] = argv.filter((word) => word !== '--yes-really');
  if (environment === undefined || rest.length > 0 || !/^[a-z][a-z0-9-]*$/.test(environment)) {
    output.error(USAGE);
    return 2;
  }
  if (env['DEPLOYMENT_MODE'] === 'true' || (environment === 'prod' && !really)) {
    output.error(
      `seed: ${environment} gets no sample data${environment === 'prod' ? ' without --yes-really' : ' while DEPLOYMENT_MODE is on'}\n`,
    );
    return 3;
  }
  const place = findData(environment, env);
  if (!existsSync(place.database)) {
    output.error(
      `seed: there is no database at ${place.database}; deploy ${environment} first, or set DATABASE_FILE\n`,
    );
    return 2;
  }
  return seed(environment, place, output);
}

interface Place {
  database: string;
  files: string;
}

/** The deployer keeps `data/<env>/current` as a link to the live generation, and `files/<env>` beside it. */
function findData(environment: string, env: NodeJS.ProcessEnv): Place {
  const home = path.resolve(env['DEPLOYER_HOME'] ?? '.deployer');
  const database = env['DATABASE_FILE'] ?? path.join(home, 'data', environment, 'current', 'datatracker.db');
  return { database, files: env['FILES_DIR'] ?? path.join(home, 'files', environment) };
}

async function seed(environment: string, place: Place, output: Output): Promise<number> {
  const database = openDatabase(place.database, false);
  try {
    const documents = await database.read('documents').first<object | undefined>('id');
    const groups = await database.read('groups').first<object | undefined>('id');
    if (documents !== undefined || groups !== undefined) {
      output.error(`seed: ${environment} holds data already; sample data is for an empty datatracker\n`);
      return 1;
    }
    const password = randomBytes(9).toString('base64url');
    const teller = { database, files: fileStore(place.files), now: new Date(), deploymentId: '' };
    const told = await tellStory(teller, await hashPassword(password));
    output.out(`${told.people} people, ${told.documents} documents, ${told.comments} comments\n`);
    output.out(`everybody's password, shown this once: ${password}\n`);
    for (const { name, roles } of PEOPLE) {
      const held = roles.map(([role, group]) => (group === undefined ? role : `${role} of ${group}`));
      output.out(`  ${emailOf(name).padEnd(36)} ${held.join(', ')}\n`);
    }
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
