import { data, guarded, moved, page, write, type RouteCheck } from './route-check.ts';

export const documents: RouteCheck[] = [
  page('/doc/all/', { text: 'Documents' }),
  page('/doc/active/', { text: 'Active drafts' }),
  page('/doc/recent/', { text: 'Recently changed' }),
  page('/doc/search/', { query: '?q=draft', text: 'Search' }),
  page('/doc/in-last-call/', { text: 'In last call' }),
  page('/doc/draft/:name/', { sample: 'document' }),
  page('/doc/draft/:name/history/', { sample: 'document', text: 'History' }),
  data('/doc/draft/:name/bibtex/', 'text/plain', { sample: 'document', text: '@' }),
  data('/doc/draft/:name/doc.json', 'application/json', { sample: 'document', text: '"name"' }),
  page('/doc/draft/:name/:rev/', { sample: 'revision' }),
  data('/doc/draft/:name/:rev/:file', 'text/plain', { sample: 'file' }),
  moved('/doc/:name/', 301, '/doc/draft/', 'document'),
  write('/doc/draft/:name/state/', 'document'),
  page('/doc/draft/:name/comments/', { sample: 'document', text: 'Comments' }),
  moved('/doc/draft/:name/comments/:id/', 302, '/doc/draft/', 'comment'),
  guarded('/doc/draft/:name/comments/:id/edit', 'comment'),
  write('/doc/draft/:name/comments/', 'document'),
  write('/doc/draft/:name/comments/:id/edit', 'comment'),
  write('/doc/draft/:name/comments/:id/delete', 'comment'),
];
