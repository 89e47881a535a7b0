import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { headersOf, receiving } from './deliveries.ts';

const EXAMPLES = fileURLToPath(import.meta.resolve('@octokit/webhooks-examples/package.json'));
const ROOT = join(EXAMPLES, '..');
const REPOSITORY = 'Codertocat/Hello-World';

const documented = z.array(
  z.object({
    name: z.string(),
    examples: z.array(
      z.looseObject({
        action: z.string().optional(),
        ref: z.string().nullish(),
        repository: z.object({ full_name: z.string() }).nullish(),
      }),
    ),
  }),
);

const servers = readdirSync(ROOT).filter((name) => name === 'api.github.com' || name.startsWith('ghes-'));

/** By the words of the contract, not by those of the code. */
function expectedLook(name: string, example: z.output<typeof documented>[number]['examples'][number]) {
  if ((example.repository?.full_name ?? REPOSITORY) !== REPOSITORY) return null;
  if (name === 'ping') return 'branches';
  if (name === 'push') return example.ref?.startsWith('refs/heads/') ? 'branches' : null;
  const moves = ['opened', 'synchronize', 'reopened', 'closed'];
  return name === 'pull_request' && moves.includes(example.action ?? '') ? 'pulls' : null;
}

describe.each(servers)('every example delivery of %s', (server) => {
  it(
    'is answered, and only those that matter here are stored and looked at',
    { timeout: 60_000 },
    async () => {
      const { post, looks, events } = await receiving({
        owns: ({ full_name: name }) => name.toLowerCase() === REPOSITORY.toLowerCase(),
      });
      const all = documented.parse(JSON.parse(readFileSync(join(ROOT, server, 'index.json'), 'utf8')));
      const expected: string[] = [];
      let sent = 0;
      for (const { name, examples } of all) {
        for (const example of examples) {
          const body = JSON.stringify(example);
          const delivery = `${server.replaceAll('.', '-')}-${(sent += 1)}`;
          const answer = await post(
            body,
            headersOf(body, { 'X-GitHub-Event': name, 'X-GitHub-Delivery': delivery }),
          );
          expect(answer.status, `${name} ${example.action}`).toBe(202);
          const look = expectedLook(name, example);
          if (look) expected.push(look);
          expect(answer.answer, `${name} ${example.action}`).toHaveProperty(look ? 'stored' : 'ignored');
        }
      }
      expect(sent).toBeGreaterThan(40);
      expect(looks).toEqual(expected);
      expect(await events()).toHaveLength(expected.length);
      // Without these the test would prove nothing.
      expect(new Set(looks)).toEqual(
        new Set(server === 'api.github.com' ? ['branches', 'pulls'] : ['pulls']),
      );
    },
  );
});
