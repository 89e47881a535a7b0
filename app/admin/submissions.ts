import { z } from 'zod';
import { documentAddress } from '../documents/card.ts';
import { requireDocument, type Document } from '../documents/document.ts';
import { publishDocument } from '../documents/approval.ts';
import { formatNumber } from '../documents/state.ts';
import { holdsAny } from '../accounts/users.ts';
import { page, redirect, type Reply } from '../http/reply.ts';
import { get, post, type Route } from '../http/route.ts';
import { paragraphs } from '../http/text.ts';
import { signedIn, write, type Visit } from '../http/visit.ts';
import { html, nothing, type Html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { date } from '../pages/parts.ts';
import { approveSubmission } from '../submissions/approve.ts';
import { findingsList } from '../submissions/findings.ts';
import { moveSubmission } from '../submissions/move.ts';
import { facts } from '../submissions/status-page.ts';
import { findingsOf, requireSubmission, type Submission } from '../submissions/submission.ts';

const APPROVERS = ['approver'] as const;
const STAFF = ['approver', 'administrator'] as const;

export const adminSubmissionRoutes: Route[] = [
  get('/admin/submissions/', STAFF, listSubmissions),
  get('/admin/submissions/:id/', STAFF, showSubmission),
  post('/admin/submissions/:id/approve', APPROVERS, approve),
  post('/admin/submissions/:id/return', APPROVERS, giveBack),
  post('/admin/documents/:name/publish', ['administrator'], publish),
];

async function listSubmissions(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const waiting = await db('submissions')
    .join('users', 'users.id', 'submissions.submitter_id')
    .where({ state: 'submitted' })
    .orderBy('submissions.id')
    .select<Submission[]>('submissions.*', 'users.name as submitter');
  const approved = await db('documents')
    .where({ state: 'approved' })
    .orderBy('ml_number')
    .select<Document[]>();
  return page({
    title: 'Submissions',
    body: html`<div class="page-head"><h1>Submissions</h1></div>
      <section class="mb-5" aria-labelledby="waiting">
        <h2 class="h4" id="waiting">Waiting for approval</h2>
        ${waitingList(waiting)}
      </section>
      <section aria-labelledby="approved">
        <h2 class="h4" id="approved">Approved, not published</h2>
        ${approvedList(visit, approved)}
      </section>`,
  });
}

function waitingList(waiting: Submission[]): Html {
  if (waiting.length === 0) return html`<p class="empty-state">Nothing waits for a decision.</p>`;
  return html`<ul class="rows">
    ${waiting.map(
      ({ id, name, rev, title, submitter, created_at }) =>
        html`<li>
          <div>
            <a class="fw-semibold" href="/admin/submissions/${id}/">${title}</a><br /><code
              >${name}-${rev}</code
            >
          </div>
          <span class="text-body-secondary">${submitter}, ${date(created_at)}</span>
        </li>`,
    )}
  </ul>`;
}

function approvedList(visit: Visit, documents: Document[]): Html {
  if (documents.length === 0) return html`<p class="empty-state">Nothing waits for publication.</p>`;
  return html`<ul class="rows">
    ${documents.map(
      ({ name, title, ml_number }) =>
        html`<li>
          <div>
            <span class="ml-number">${formatNumber(ml_number ?? 0)}</span>
            <a href="${documentAddress(name)}">${title}</a>
          </div>
          ${holdsAny(visit.user, ['administrator']) ? html`<form method="post" action="/admin/documents/${name}/publish">${csrfInput(visit)}<button class="btn btn-sm btn-primary" aria-label="Publish ${title}">Publish</button></form>` : nothing}
        </li>`,
    )}
  </ul>`;
}

async function showSubmission(visit: Visit): Promise<Reply> {
  const db = visit.services.database.read;
  const submission = await requireSubmission(db, visit.params['id']);
  const findings = await findingsOf(db, submission.id);
  const open = submission.state === 'submitted' && holdsAny(visit.user, APPROVERS);
  return page({
    title: `Decide on ${submission.name}-${submission.rev}`,
    body: html`<div class="page-head">
        <h1>${submission.title}</h1>
        <code>${submission.name}-${submission.rev}</code>
      </div>
      <p>
        <span class="role">${submission.state}</span>
        ${submission.doc_id === null ? nothing : html`<a href="${documentAddress(submission.name)}">Read the document</a>`}
      </p>
      ${facts(submission)} ${findingsList(findings)} ${open ? decision(visit, submission) : nothing}`,
  });
}

function decision(visit: Visit, { id }: Submission): Html {
  return html`<div class="columns">
    <form class="panel" method="post" action="/admin/submissions/${id}/approve">
      ${csrfInput(visit)}
      <h2 class="h5">Approve</h2>
      <p>The document receives the next ML number, for good. It is published later, by an administrator.</p>
      <button class="btn btn-primary">Approve and number</button>
    </form>
    <form class="panel" method="post" action="/admin/submissions/${id}/return">
      ${csrfInput(visit)}
      <h2 class="h5">Return to the authors</h2>
      <label class="form-label" for="note">What should change</label>
      <textarea class="form-control mb-3" id="note" name="note" rows="3" required maxlength="5000"></textarea>
      <button class="btn btn-outline-secondary">Return</button>
    </form>
  </div>`;
}

async function approve(visit: Visit): Promise<Reply> {
  return write(visit, async (trx) => {
    const submission = await requireSubmission(trx, visit.params['id']);
    await approveSubmission(trx, signedIn(visit), submission, visit.services.clock());
    return redirect(documentAddress(submission.name));
  });
}

async function giveBack(visit: Visit): Promise<Reply> {
  const note = z.object({ note: paragraphs(5000, 0) }).parse({ note: visit.form.fields.get('note') ?? '' });
  return write(visit, async (trx) => {
    const submission = await requireSubmission(trx, visit.params['id']);
    await moveSubmission(trx, signedIn(visit), submission, 'returned', visit.services.clock(), note);
    return redirect('/admin/submissions/');
  });
}

async function publish(visit: Visit): Promise<Reply> {
  return write(visit, async (trx) => {
    const document = await requireDocument(trx, visit.params['name']);
    await publishDocument(trx, signedIn(visit), document, visit.services.clock());
    return redirect(documentAddress(document.name));
  });
}
