import { z } from 'zod';
import { badRequest } from '../http/problem.ts';
import { redirect, type Reply } from '../http/reply.ts';
import { signedIn, write, type Visit } from '../http/visit.ts';
import { documentAddress } from './card.ts';
import { requireDocument } from './document.ts';
import { moveDocument } from './transition.ts';

/** A last call needs its end, an approval its submission, a publication its administrator: not by this form. */
const target = z.enum(['active', 'expired', 'withdrawn']);

export async function changeState(visit: Visit): Promise<Reply> {
  const to = target.safeParse(visit.form.fields.get('to'));
  if (!to.success) throw badRequest('There is no such state to choose here.');
  const user = signedIn(visit);
  return write(visit, async (trx) => {
    const document = await requireDocument(trx, visit.params['name']);
    await moveDocument(trx, user, document, to.data, visit.services.clock());
    return redirect(documentAddress(document.name));
  });
}
