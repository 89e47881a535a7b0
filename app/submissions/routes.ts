import { get, post, type Route } from '../http/route.ts';
import { cancel, confirm, showStatus } from './status-page.ts';
import { submit, submitPage } from './submit-page.ts';

export const submissionRoutes: Route[] = [
  get('/submit/', 'signed-in', (visit) => submitPage(visit)),
  { ...post('/submit/', 'signed-in', submit), upload: true },
  get('/submit/status/:id/', 'signed-in', showStatus),
  post('/submit/status/:id/confirm/', 'signed-in', confirm),
  post('/submit/status/:id/cancel/', 'signed-in', cancel),
];
