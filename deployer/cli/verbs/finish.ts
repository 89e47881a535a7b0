import type { Deployment } from '../../deployment/model.ts';
import type { Result } from '../outcome.ts';
import { createProgress } from '../progress.ts';
import { resultText } from '../text/deployment.ts';
import type { Context } from '../verb.ts';
import { waitFor } from '../wait.ts';

/** Waits for a deployment with its progress on stderr; its outcome is the verb's. */
export async function finish(context: Context, started: Deployment): Promise<Result> {
  const client = context.client();
  const progress = createProgress(context.io);
  try {
    const onChange = (deployment: Deployment) => progress.show(deployment);
    const ended = await waitFor(client, started.id, { signal: context.io.signal, onChange });
    const text = resultText(ended, client.url, context.paint);
    return { outcome: ended.outcome ?? 'failed', details: ended, text };
  } finally {
    progress.end();
  }
}
