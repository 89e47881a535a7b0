import { get, type Route } from '../http/route.ts';
import { listPage } from './list-page.ts';

export const documentRoutes: Route[] = [
  get('/doc/all/', 'anyone', listPage('Documents')),
  get('/doc/active/', 'anyone', listPage('Active drafts', { state: 'active' })),
  get('/doc/recent/', 'anyone', listPage('Recently changed', { sort: 'updated' })),
  get('/doc/search/', 'anyone', listPage('Search')),
  get('/doc/in-last-call/', 'anyone', listPage('In last call', { state: 'last-call' })),
];
