import { guarded, write, type RouteCheck } from './route-check.ts';

export const submissions: RouteCheck[] = [
  guarded('/submit/'),
  write('/submit/'),
  guarded('/submit/status/:id/', 'submission'),
  write('/submit/status/:id/confirm/', 'submission'),
  write('/submit/status/:id/cancel/', 'submission'),
];
