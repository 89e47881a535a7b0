import { holdsAny } from '../accounts/users.ts';
import { page } from '../http/reply.ts';
import { get, type Route } from '../http/route.ts';
import { html } from '../pages/html.ts';
import { adminAuditRoutes } from './audit.ts';
import { adminGroupRoutes } from './groups.ts';
import { adminSubmissionRoutes } from './submissions.ts';
import { adminUserRoutes } from './users.ts';

const DESKS = [
  ['/admin/submissions/', 'Submissions', 'Approve, return and publish.', ['approver', 'administrator']],
  ['/admin/users/', 'Accounts', 'Who may do what.', ['administrator']],
  ['/admin/groups/', 'Groups', 'Charter a new one.', ['administrator']],
  ['/admin/audit/', 'Audit log', 'Every change, and who made it.', ['administrator']],
] as const;

export const adminRoutes: Route[] = [
  get('/admin/', ['approver', 'administrator'], ({ user }) =>
    page({
      title: 'Administration',
      body: html`<div class="page-head"><h1>Administration</h1></div>
        <ul class="cards cards-2">
          ${DESKS.filter(([, , , roles]) => holdsAny(user, roles)).map(
            ([path, name, text]) =>
              html`<li class="doc-card">
                <h2><a href="${path}">${name}</a></h2>
                <p class="mb-0">${text}</p>
              </li>`,
          )}
        </ul>`,
    }),
  ),
  ...adminSubmissionRoutes,
  ...adminUserRoutes,
  ...adminGroupRoutes,
  ...adminAuditRoutes,
];
