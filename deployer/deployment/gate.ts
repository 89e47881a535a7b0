import { EnvironmentError, parseEnvironment } from '../../environments/parse.ts';
import type { Mirror } from '../release/types.ts';
import type { Gate, Policy } from './work.ts';

/** The verdict of the promotion gate on a tree for an environment, as that tree describes it; open without one. */
export async function gateOn(
  { mirror, policy }: { mirror: Pick<Mirror, 'read'>; policy: Pick<Policy, 'gate'> },
  environment: string,
  tree: string,
): Promise<Gate> {
  const file = `environments/${environment}.yaml`;
  const text = await mirror.read(tree, file);
  try {
    const { requires } = parseEnvironment(text ?? '', file);
    return requires === undefined ? { state: 'open' } : await policy.gate(requires, tree);
  } catch (error) {
    // The stages say what is wrong with the file.
    if (error instanceof EnvironmentError) return { state: 'open' };
    throw error;
  }
}
