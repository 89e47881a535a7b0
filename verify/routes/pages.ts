import { data, page, write, type RouteCheck } from './route-check.ts';

export const pages: RouteCheck[] = [
  page('/', { text: 'Meta-Layer Task Force' }),
  write('/theme/'),
  data('/assets/:name', 'text/css', { sample: 'asset' }),
];
