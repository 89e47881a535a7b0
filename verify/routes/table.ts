import { deploy } from './deploy.ts';
import { documents } from './documents.ts';
import { pages } from './pages.ts';
import type { RouteCheck } from './route-check.ts';

/** A check for every route of the application, by kind. */
export const ROUTES: RouteCheck[] = [...deploy, ...pages, ...documents];
