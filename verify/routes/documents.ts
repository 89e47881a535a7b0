import { page, type RouteCheck } from './route-check.ts';

export const documents: RouteCheck[] = [
  page('/doc/all/', { text: 'Documents' }),
  page('/doc/active/', { text: 'Active drafts' }),
  page('/doc/recent/', { text: 'Recently changed' }),
  page('/doc/search/', { query: '?q=draft', text: 'Search' }),
  page('/doc/in-last-call/', { text: 'In last call' }),
];
