import { page, type RouteCheck } from './route-check.ts';

export const groups: RouteCheck[] = [
  page('/group/', { text: 'Groups' }),
  page('/group/:acronym/', { sample: 'group' }),
  page('/person/:id/', { sample: 'person' }),
];
