// `verify` of contract section 5 for the sample: its pages answer.
import { request } from 'node:http';

const socketPath = process.argv[process.argv.indexOf('--socket') + 1];
const get = (path) =>
  new Promise((resolve) => {
    request({ socketPath, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', () => resolve(0))
      .end();
  });

const checks = [];
for (const path of ['/', '/notes']) {
  const status = await get(path);
  checks.push({
    name: `GET ${path}`,
    success: status === 200,
    expected: '200',
    actual: `gave ${status}`,
    hint: 'see server.mjs',
    location: 'server.mjs:1',
  });
}
const success = checks.every((check) => check.success);
process.stdout.write(
  JSON.stringify({ success, suites: [{ name: 'routes', success, durationMs: 1, checks }] }),
);
process.exitCode = success ? 0 : 1;
