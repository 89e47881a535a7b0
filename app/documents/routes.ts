import { get, post, type Route } from '../http/route.ts';
import { changeState } from './change-state.ts';
import { redirectToDocument, showDocument } from './document-page.ts';
import { documentBibtex, documentFile, documentJson } from './exports.ts';
import { showHistory } from './history-page.ts';
import { listPage } from './list-page.ts';

export const documentRoutes: Route[] = [
  get('/doc/all/', 'anyone', listPage('Documents')),
  get('/doc/active/', 'anyone', listPage('Active drafts', { state: 'active' })),
  get('/doc/recent/', 'anyone', listPage('Recently changed', { sort: 'updated' })),
  get('/doc/search/', 'anyone', listPage('Search')),
  get('/doc/in-last-call/', 'anyone', listPage('In last call', { state: 'last-call' })),
  get('/doc/draft/:name/', 'anyone', showDocument),
  get('/doc/draft/:name/history/', 'anyone', showHistory),
  get('/doc/draft/:name/bibtex/', 'anyone', documentBibtex),
  get('/doc/draft/:name/doc.json', 'anyone', documentJson),
  post('/doc/draft/:name/state/', 'signed-in', changeState),
];

/** Tried last, because a name can be anything. */
export const documentNameRoutes: Route[] = [
  get('/doc/draft/:name/:rev/', 'anyone', showDocument),
  get('/doc/draft/:name/:rev/:file', 'anyone', documentFile),
  get('/doc/:name/', 'anyone', redirectToDocument),
];
