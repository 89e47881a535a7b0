// npm's registry inside a machine without a network: the packages of the project's lockfile, from this machine's cache.
// A process of the host in the machine's network namespace, so that nothing of it is on the machine's disk.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { cachedPackages, REGISTRY_PORT, type Package } from './packages.ts';

const packages = Map.groupBy(await cachedPackages(), ({ name }) => name);
const base = `http://127.0.0.1:${REGISTRY_PORT}`;

createServer((request, response) => {
  const path = decodeURIComponent(request.url ?? '/').slice(1);
  const [name = '', version] = path.split('/-/');
  const versions = packages.get(name) ?? [];
  const wanted = versions.find((one) => one.version === version);
  if (wanted) createReadStream(wanted.file).pipe(response);
  else if (version === undefined && versions.length > 0)
    response.end(JSON.stringify(describe(name, versions)));
  else response.writeHead(404).end('{}');
}).listen(REGISTRY_PORT, '127.0.0.1', () => process.stdout.write('listening\n'));

/** <https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md> */
function describe(name: string, versions: Package[]): object {
  const described = versions.map(({ version, integrity, more }) => {
    const dist = { integrity, tarball: `${base}/${encodeURIComponent(name)}/-/${version}` };
    return [version, { name, ...more, version, dist }] as const;
  });
  return { name, 'dist-tags': { latest: versions[0]?.version }, versions: Object.fromEntries(described) };
}
