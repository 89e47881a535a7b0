import type { Context, Verb } from '../verb.ts';
import { lasting } from '../wait.ts';
import { deploymentPath } from './options.ts';

export const logs: Verb = {
  name: 'logs',
  arguments: ['DEPLOYMENT'],
  summary: 'the log of a deployment',
  options: { follow: { help: 'until the deployment has its outcome' } },
  async run(context) {
    const { args, client } = context;
    const { id } = await client().get(deploymentPath(args), (answers) => answers.deployment);
    const path = `/api/deployments/${id}/log`;
    if (args.flag('follow'))
      return { outcome: 'ok', details: { id, lines: await follow(context, path) }, text: '' };
    const text = (await client().text(path)).trimEnd();
    return { outcome: 'ok', details: { id, lines: text === '' ? [] : text.split('\n') }, text };
  },
};

/** Each line as it comes; with `--json` on stderr, because stdout is the object's. */
async function follow({ client, io, wantsJson }: Context, path: string): Promise<string[]> {
  const output = wantsJson ? io.stderr : io.stdout;
  const lines: string[] = [];
  for await (const { event, data } of lasting(client(), path, { signal: io.signal })) {
    if (event === 'end') break;
    lines.push(data);
    output.write(`${data}\n`);
  }
  return lines;
}
