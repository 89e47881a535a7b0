import { holdsAny } from '../accounts/users.ts';
import { documentAddress } from '../documents/card.ts';
import { renderText } from '../documents/text.ts';
import { notFound } from '../http/problem.ts';
import { page, redirect, type Reply } from '../http/reply.ts';
import { signedIn, write, type Visit } from '../http/visit.ts';
import { html, nothing, type Html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { dateAndTime } from '../pages/parts.ts';
import { storedAuthors } from './authors.ts';
import { confirmSubmission } from './confirm.ts';
import { findingsList } from './findings.ts';
import { moveSubmission } from './move.ts';
import { steps } from './submit-page.ts';
import { findingsOf, requireSubmission, type Submission } from './submission.ts';

const SAID: Record<Submission['state'], string> = {
  checked: 'Only you can see this preview. It is posted once you confirm it.',
  submitted: 'It is posted, open to comments, and waits for an approver.',
  approved: 'It was approved and has its number.',
  returned: 'It was returned to its authors. A new revision can be submitted.',
  superseded: 'A newer revision took its place.',
  cancelled: 'It was cancelled before it was posted.',
};

export async function showStatus(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const submission = await ownSubmission(visit);
  const [findings, bytes] = await Promise.all([
    findingsOf(db, submission.id),
    visit.services.files.get(submission.storage_key),
  ]);
  const pending = submission.state === 'checked';
  const body = html`<div class="page-head">
      <h1>${submission.title}</h1>
      <code>${submission.name}-${submission.rev}</code>
    </div>
    ${pending ? steps(2) : nothing}
    <p class="lead">${SAID[submission.state]}</p>
    ${submission.note === '' ? nothing : html`<blockquote class="panel">${submission.note}</blockquote>`}
    ${findingsList(findings)} ${pending ? decide(visit, submission) : documentLink(submission)}
    ${facts(submission)}
    <section class="preview" aria-label="Preview">${await renderText(submission.format, bytes)}</section>`;
  return page({ title: `Submission ${submission.name}-${submission.rev}`, body });
}

export async function confirm(visit: Visit): Promise<Reply> {
  const submission = await ownSubmission(visit);
  const bytes = await visit.services.files.get(submission.storage_key);
  const text = submission.format === 'pdf' ? '' : bytes.toString('utf8');
  await write(visit, async (trx) => {
    const current = await requireSubmission(trx, String(submission.id));
    await confirmSubmission(trx, signedIn(visit), current, text, visit.services.clock());
  });
  return redirect(documentAddress(submission.name));
}

export async function cancel(visit: Visit): Promise<Reply> {
  const submission = await ownSubmission(visit);
  await write(visit, (trx) =>
    moveSubmission(trx, signedIn(visit), submission, 'cancelled', visit.services.clock()),
  );
  return redirect('/submit/');
}

/** Before it is posted, a submission is its author's; afterwards those who decide about it see it too. @throws {Problem} 404 */
async function ownSubmission(visit: Visit): Promise<Submission> {
  const submission = await requireSubmission(visit.services.database.read, visit.params['id']);
  const decides = submission.state !== 'checked' && holdsAny(visit.user, ['approver', 'administrator']);
  if (submission.submitter_id !== signedIn(visit).id && !decides) throw notFound('This submission');
  return submission;
}

function decide(visit: Visit, { id }: Submission): Html {
  return html`<div class="decide">
    <form method="post" action="/submit/status/${id}/confirm/">
      ${csrfInput(visit)}<button class="btn btn-primary">Confirm and post</button>
    </form>
    <form method="post" action="/submit/status/${id}/cancel/">
      ${csrfInput(visit)}<button class="btn btn-outline-secondary">Cancel</button>
    </form>
  </div>`;
}

function documentLink({ name, state }: Submission): Html {
  return state === 'cancelled'
    ? nothing
    : html`<p><a href="${documentAddress(name)}">Go to the document</a></p>`;
}

export function facts(submission: Submission): Html {
  return html`<dl class="panel facts-row">
    <div>
      <dt>Submitted by</dt>
      <dd>${submission.submitter}</dd>
    </div>
    <div>
      <dt>Received</dt>
      <dd>${dateAndTime(submission.created_at)}</dd>
    </div>
    <div>
      <dt>Authors</dt>
      <dd>
        ${storedAuthors(submission.authors)
          .map(({ name }) => name)
          .join(', ')}
      </dd>
    </div>
    <div>
      <dt>Format</dt>
      <dd>${submission.format}, ${submission.bytes} bytes</dd>
    </div>
    <div class="w-100">
      <dt>Abstract</dt>
      <dd>${submission.abstract}</dd>
    </div>
  </dl>`;
}
