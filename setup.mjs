// Runs before `npm start` and `npm test`: installs what is missing, once per lockfile.
// Plain JavaScript for Node 20, because the project's own runtime may not be there yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';

const root = new URL('.', import.meta.url);
const stamp = new URL('node_modules/.installed', root);
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 20) fail(`Node ${process.version} is too old: install Node 20 or newer`);

const wanted = createHash('sha256')
  .update(readFileSync(new URL('package-lock.json', root)))
  .digest('hex');
if (read(stamp) !== wanted) {
  process.stderr.write('installing dependencies (npm ci) …\n');
  // The packages' own install scripts are not needed: better-sqlite3 and the runtime bring their binaries.
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, NODE_ENV: 'development' },
  });
  if (npm.error) fail(`npm could not be started: ${npm.error.message}`);
  if (npm.status !== 0) fail('npm ci failed; its reason stands above');
  linkRuntime();
  writeFileSync(stamp, wanted);
}

/** Debian 13's npm 9.2 makes no link to what the package for another machine brings, too; scripts start it by its name. */
function linkRuntime() {
  const link = new URL('node_modules/.bin/node', root);
  const program = `../node-linux-${process.arch}/bin/node`;
  if (!existsSync(link) && existsSync(new URL(program, link))) symlinkSync(program, link);
}

/** @param {URL} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`setup: ${message}\n`);
  process.exit(2);
}
