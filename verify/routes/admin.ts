import { guarded, write, type RouteCheck } from './route-check.ts';

export const admin: RouteCheck[] = [
  guarded('/admin/'),
  guarded('/admin/users/'),
  write('/admin/users/:id/roles', 'person'),
  guarded('/admin/groups/'),
  write('/admin/groups/'),
  guarded('/admin/submissions/'),
  guarded('/admin/submissions/:id/', 'submission'),
  write('/admin/submissions/:id/approve', 'submission'),
  write('/admin/submissions/:id/return', 'submission'),
  write('/admin/documents/:name/publish', 'document'),
  guarded('/admin/audit/'),
];
