import { join } from 'node:path';

/** Where the local forge's bare repository lives. */
export function originOf(home: string): string {
  return join(home, 'origin.git');
}
