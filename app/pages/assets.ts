import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { notFound } from '../http/problem.ts';
import { get } from '../http/route.ts';

const own = (name: string): string => fileURLToPath(new URL(`../public/${name}`, import.meta.url));

/** Everything that pages load, by name; nothing else is served from disk. */
const ASSETS = {
  'bootstrap.min.css': createRequire(import.meta.url).resolve('bootstrap/dist/css/bootstrap.min.css'),
  'site.css': own('site.css'),
  'site.js': own('site.js'),
  'icon.svg': own('icon.svg'),
};
type Asset = keyof typeof ASSETS;

const versions = new Map<Asset, string>();

/** The address of an asset with this very content: what did not change stays in a visitor's cache over releases. */
export function assetUrl(name: Asset): string {
  return `/assets/${name}?v=${versionOf(name)}`;
}

export const assetRoutes = [
  get('/assets/:name', 'anyone', ({ params, query }) => {
    const name = params['name'] ?? '';
    if (!isAsset(name)) throw notFound();
    const version = versionOf(name);
    return { kind: 'asset', file: ASSETS[name], version, isForGood: query.get('v') === version };
  }),
];

function versionOf(name: Asset): string {
  const known = versions.get(name);
  if (known !== undefined) return known;
  const version = createHash('sha256').update(readFileSync(ASSETS[name])).digest('hex').slice(0, 12);
  versions.set(name, version);
  return version;
}

function isAsset(name: string): name is Asset {
  return Object.hasOwn(ASSETS, name);
}
