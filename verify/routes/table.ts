import { accounts } from './accounts.ts';
import { admin } from './admin.ts';
import { deploy } from './deploy.ts';
import { documents } from './documents.ts';
import { groups } from './groups.ts';
import { pages } from './pages.ts';
import type { RouteCheck } from './route-check.ts';
import { submissions } from './submissions.ts';

/** A check for every route of the application, by kind. */
export const ROUTES: RouteCheck[] = [
  ...deploy,
  ...pages,
  ...accounts,
  ...documents,
  ...submissions,
  ...groups,
  ...admin,
];
