import { page, type Reply } from '../http/reply.ts';
import { get, type Route } from '../http/route.ts';
import { rowId } from '../http/text.ts';
import type { Visit } from '../http/visit.ts';
import { html, nothing, type Html } from '../pages/html.ts';
import { dateAndTime } from '../pages/parts.ts';

const PAGE = 100;

export const adminAuditRoutes: Route[] = [get('/admin/audit/', ['administrator'], showAudit)];

interface Entry {
  id: number;
  at: string;
  actor_id: number | null;
  actor: string | null;
  deployment_id: string | null;
  request_id: string | null;
  table_name: string;
  row_id: string;
  action: string;
  old: string | null;
  new: string | null;
}

async function showAudit(visit: Visit): Promise<Reply> {
  const before = rowId.catch(2 ** 31 - 1).parse(visit.query.get('before'));
  const entries = await visit.services.database
    .read('audit_log')
    .leftJoin('users', 'users.id', 'audit_log.actor_id')
    .where('audit_log.id', '<', before)
    .orderBy('audit_log.id', 'desc')
    .limit(PAGE)
    .select<Entry[]>('audit_log.*', 'users.name as actor');
  const body = html`<div class="page-head"><h1>Audit log</h1></div>
    <p class="text-body-secondary">Kept by the database itself; nothing in it can be changed or removed.</p>
    <div class="table-responsive" tabindex="0" role="region" aria-label="Audit log">
      <table class="table table-sm">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Change</th>
          </tr>
        </thead>
        <tbody>
          ${entries.map(row)}
        </tbody>
      </table>
    </div>
    ${entries.length < PAGE ? nothing : html`<nav class="pager" aria-label="Pages"><a class="btn btn-outline-primary" href="/admin/audit/?before=${entries.at(-1)?.id}">Older entries</a></nav>`}`;
  return page({ title: 'Audit log', body });
}

function row(entry: Entry): Html {
  return html`<tr>
    <td class="text-nowrap">${dateAndTime(entry.at)}</td>
    <td>
      ${entry.actor_id === null ? 'no account' : html`<a href="/person/${entry.actor_id}/">${entry.actor}</a>`}
    </td>
    <td class="text-nowrap">${entry.action} <code>${entry.table_name} ${entry.row_id}</code></td>
    <td>
      <details>
        <summary>${changedColumns(entry)}</summary>
        <pre class="plain small">
${entry.old ?? ''}
${entry.new ?? ''}</pre>
        <p class="small">
          Deployment ${entry.deployment_id ?? 'none'}, request ${entry.request_id ?? 'none'}
        </p>
      </details>
    </td>
  </tr>`;
}

function changedColumns({ old, new: current }: Entry): string {
  const before = columns(old);
  const after = columns(current);
  const names = Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name]);
  return names.join(', ') || 'nothing';
}

function columns(json: string | null): Record<string, unknown> {
  const value: unknown = JSON.parse(json ?? '{}');
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
