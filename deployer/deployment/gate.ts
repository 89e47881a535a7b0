import { EnvironmentError, parseEnvironment } from '../../environments/parse.ts';
import type { Environment } from '../../environments/schema.ts';
import type { Mirror } from '../release/types.ts';
import type { Gate, Policy } from './work.ts';

/** The verdict of the promotion gate on a tree for an environment, as that tree describes it; open without one. */
export async function gateOn(
  { mirror, policy }: { mirror: Pick<Mirror, 'read'>; policy: Pick<Policy, 'gate'> },
  environment: string,
  tree: string,
): Promise<Gate> {
  const config = await environmentIn(mirror, environment, tree);
  return config?.requires === undefined ? { state: 'open' } : policy.gate(config.requires, tree);
}

/** The environment as a tree describes it; null: its file is missing or wrong, of which the stages tell. */
export async function environmentIn(
  mirror: Pick<Mirror, 'read'>,
  name: string,
  tree: string,
): Promise<Environment | null> {
  const file = `environments/${name}.yaml`;
  const text = await mirror.read(tree, file);
  try {
    return parseEnvironment(text ?? '', file);
  } catch (error) {
    if (error instanceof EnvironmentError) return null;
    throw error;
  }
}
