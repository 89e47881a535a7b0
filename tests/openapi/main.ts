import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { problemsOf, recordedRequest } from './check.ts';
import { readDescription } from './description.ts';

/**
 * `npm run check:openapi -- FILE`: the requests that the tests recorded there (with GITHUB_REQUESTS=FILE) against GitHub's
 * own description, which is fetched into a temporary directory: it is 385 MB, and no dependency of the project.
 */
const PACKAGE = '@octokit/openapi@23.0.2';
const DESCRIPTION = 'package/generated/api.github.com.json';

async function download(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'openapi-'));
  try {
    const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory, PACKAGE];
    const { stdout } = await promisify(execFile)('npm', pack, { cwd: directory, timeout: 300_000 });
    await extract({ cwd: directory, file: join(directory, stdout.trim()) }, [DESCRIPTION]);
    return await readFile(join(directory, DESCRIPTION), 'utf8');
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function main([file]: string[]): Promise<number> {
  if (file === undefined) throw new Error('say which file the tests recorded their requests in');
  const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  const requests = lines.map((line) => recordedRequest.parse(JSON.parse(line)));
  const description = readDescription(await download());
  const problems = new Set(requests.flatMap((request) => problemsOf(description, request)));
  for (const problem of problems) console.error(problem);
  const operations = new Set(requests.map(({ method, path }) => description.find(method, path)?.name));
  console.log(`${requests.length} requests of ${operations.size} operations were checked against ${PACKAGE}`);
  return problems.size > 0 || requests.length === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(
    `the requests to GitHub were not checked: ${error instanceof Error ? error.message : String(error)}`,
  );
  return 1;
});
