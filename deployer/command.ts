import { fileURLToPath } from 'node:url';
import { LAYOUT } from './install/layout.ts';

const isInstalled = fileURLToPath(import.meta.url).startsWith(`${LAYOUT.code}/`);

/**
 * How we are called, for whoever is told what to do next. A host has a command of its own: outside of a clone npx would fetch
 * what somebody else has published under this name.
 */
export const COMMAND = isInstalled ? 'deployer' : 'npx deployer';
