import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { notFound } from '../http/problem.ts';
import { get } from '../http/route.ts';

const own = (name: string): string => fileURLToPath(new URL(`../public/${name}`, import.meta.url));

/** Everything that pages load, by name; nothing else is served from disk. */
const ASSETS = new Map([
  ['bootstrap.min.css', createRequire(import.meta.url).resolve('bootstrap/dist/css/bootstrap.min.css')],
  ['site.css', own('site.css')],
  ['site.js', own('site.js')],
  ['icon.svg', own('icon.svg')],
]);

export const assetRoutes = [
  get('/assets/:name', 'anyone', ({ params }) => {
    const file = ASSETS.get(params['name'] ?? '');
    if (file === undefined) throw notFound();
    return { kind: 'asset', file };
  }),
];
