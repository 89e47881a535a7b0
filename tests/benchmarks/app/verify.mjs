// `verify` of contract section 5 for the small application.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

const args = process.argv.slice(2);
const socketPath = args[args.indexOf('--socket') + 1];
const asked = args.flatMap((arg, index) => (arg === '--suite' ? [args[index + 1]] : []));
const { version, table } = JSON.parse(readFileSync(new URL('version.json', import.meta.url), 'utf8'));

const get = (path) =>
  new Promise((resolve) => {
    request({ socketPath, path, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', () => resolve({ status: 0, body: '' }))
      .end();
  });

const SUITES = {
  service: async () => [check('GET /_deploy/health', 200, (await get('/_deploy/health')).status)],
  routes: async () => {
    const { status, body } = await get('/');
    return [check('GET /', 200, status), check('version', version, JSON.parse(body || '{}').version)];
  },
  database: () => {
    const database = new DatabaseSync(process.env.DATABASE_FILE, { readOnly: true });
    const found = database.prepare('SELECT name FROM sqlite_master WHERE name = ?').get(table);
    return [check(`table ${table}`, table, found?.name)];
  },
};

function check(name, expected, actual) {
  return {
    name,
    success: expected === actual,
    expected: String(expected),
    actual: `gave ${actual}`,
    hint: null,
    location: 'server.mjs:1',
  };
}

const suites = [];
for (const name of asked.length > 0 ? asked : Object.keys(SUITES)) {
  const began = performance.now();
  const checks = await SUITES[name]();
  const success = checks.every((one) => one.success);
  suites.push({ name, success, durationMs: Math.round(performance.now() - began), checks });
}
const success = suites.every((suite) => suite.success);
process.stdout.write(JSON.stringify({ success, suites }));
process.exitCode = success ? 0 : 1;
