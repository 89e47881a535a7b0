import { findUser } from '../../../app/accounts/users.ts';
import { openDatabase } from '../../../app/database/database.ts';
import { approveSubmission } from '../../../app/submissions/approve.ts';
import { requireSubmission } from '../../../app/submissions/submission.ts';

/** One of the processes of the race for numbers: DATABASE USER SUBMISSION… */
async function main([file = '', userId = '', ...ids]: string[]): Promise<void> {
  const database = openDatabase(file, false);
  const user = await findUser(database.read, Number(userId));
  if (user === null) throw new Error(`no user ${userId}`);
  for (const id of ids) {
    await database.write({ actorId: user.id, deploymentId: 'race', requestId: id }, async (trx) =>
      approveSubmission(trx, user, await requireSubmission(trx, id), new Date()),
    );
  }
  await database.close();
}

if (import.meta.main) await main(process.argv.slice(2));
