import { page, redirect, type Reply } from '../http/reply.ts';
import type { FieldErrors } from '../http/text.ts';
import { signedIn, write, type Visit } from '../http/visit.ts';
import { errorSummary, input, select, textarea } from '../pages/forms.ts';
import { html, nothing, type Html } from '../pages/html.ts';
import { csrfInput } from '../pages/layout.ts';
import { checkSubmission } from './check.ts';
import type { Finding } from './check-text.ts';
import { findingsList } from './findings.ts';
import { storeSubmission } from './submission.ts';

/** First step: check. Only what has no errors is kept, to be previewed and confirmed. */
export async function submit(visit: Visit): Promise<Reply> {
  const user = signedIn(visit);
  const checked = await checkSubmission(visit.services.database.read, user, visit.form);
  if (!checked.ok) return submitPage(visit, checked.errors, checked.findings);
  const { candidate, findings } = checked;
  const key = await visit.services.files.put(candidate.bytes);
  const id = await write(visit, (trx) =>
    storeSubmission(trx, user, candidate, key, findings, visit.services.clock()),
  );
  return redirect(`/submit/status/${id}/`);
}

export async function submitPage(
  visit: Visit,
  errors: FieldErrors = {},
  findings: Finding[] = [],
): Promise<Reply> {
  const groups = await visit.services.database
    .read('groups')
    .where({ state: 'active' })
    .orderBy('acronym')
    .select<{ acronym: string; name: string }[]>('acronym', 'name');
  const choices: [string, string][] = [
    ['', 'None: an individual draft'],
    ...groups.map(({ acronym, name }): [string, string] => [acronym, name]),
  ];
  const failed = Object.keys(errors).length + findings.length > 0;
  const body = html`<div class="page-head"><h1>Submit a draft</h1></div>
    ${steps(1)} ${errorSummary(errors)} ${findings.length === 0 ? nothing : findingsList(findings)}
    <form class="panel" method="post" action="/submit/" enctype="multipart/form-data">
      ${csrfInput(visit)} ${formFields(visit, choices, errors)}
      <button class="btn btn-primary">Check and preview</button>
    </form>`;
  return page({ title: 'Submit a draft', body }, failed ? 422 : 200);
}

function formFields(visit: Visit, groups: [string, string][], errors: FieldErrors): Html {
  const user = signedIn(visit);
  const value = (name: string, fallback = ''): string =>
    visit.form.fields.get(name) ?? visit.query.get(name) ?? fallback;
  return html`<div class="columns">
      <div>
        ${input({ name: 'name', label: 'Name', value: value('name'), maxlength: 50, hint: 'Such as draft-rivera-presence: at least three parts, lower case.' }, errors)}
        ${input({ name: 'rev', label: 'Revision', value: value('rev', '00'), maxlength: 2, hint: '00 for a new draft, then one more each time.' }, errors)}
        ${input({ name: 'title', label: 'Title', value: value('title'), maxlength: 200 }, errors)}
        ${select({ name: 'group', label: 'Group', value: value('group') }, groups, errors)}
      </div>
      <div>
        ${textarea({ name: 'abstract', label: 'Abstract', value: value('abstract'), rows: 5 }, errors)}
        ${textarea({ name: 'authors', label: 'Authors', value: value('authors', `${user.name} <${user.email}>`), rows: 3, hint: 'One “Name <address>” a line.' }, errors)}
      </div>
    </div>
    ${input({ name: 'file', label: 'File', type: 'file', required: false, hint: '.txt or .md in UTF-8 up to 2 MB, .xml up to 3 MB, or .pdf.' }, errors)}
    ${textarea({ name: 'text', label: 'Or paste the text, in Markdown', value: value('text'), rows: 6, required: false }, errors)}`;
}

const STEPS = ['Check', 'Preview', 'Confirm'];

/** Where one is on the way. */
export function steps(current: number): Html {
  return html`<ol class="steps" aria-label="Steps">
    ${STEPS.map((step, index) => html`<li ${index + 1 === current ? html`aria-current="step"` : nothing}>${step}</li>`)}
  </ol>`;
}
