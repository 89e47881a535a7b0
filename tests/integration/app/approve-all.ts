import { findUser } from '../../../app/accounts/users.ts';
import { openDatabase } from '../../../app/database/database.ts';
import { approveSubmission } from '../../../app/submissions/approve.ts';
import { requireSubmission } from '../../../app/submissions/submission.ts';

/** One of the processes of the race for numbers: DATABASE USER SUBMISSION… */
const [file = '', userId = '', ...ids] = process.argv.slice(2);
const database = openDatabase(file, false);
const user = await findUser(database.read, Number(userId));
if (user === null) throw new Error(`no user ${userId}`);
for (const id of ids) {
  await database.write({ actorId: user.id, deploymentId: 'race', requestId: id }, async (trx) =>
    approveSubmission(trx, user, await requireSubmission(trx, id), new Date()),
  );
}
await database.close();
