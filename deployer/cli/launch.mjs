#!/usr/bin/env node
// `npx deployer`: plain JavaScript for Node 20, because the project's own runtime comes with its packages.
import { accessSync, constants as access, existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WANTED_MAJOR = 24;
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
/** Debian 13's npm 9.2 makes no link to what the package for another machine brings, too. */
const runtime = [join(modules, '.bin'), join(modules, `node-linux-${process.arch}`, 'bin')]
  .map((directory) => join(directory, 'node'))
  .find((file) => existsSync(file));
const dependency = join(modules, 'zod', 'package.json');
const program = fileURLToPath(new URL('main.ts', import.meta.url));
/**
 * Compiled once, the command line starts in half the time: beside the packages, where nobody else can write; or, since the
 * deployer of a host may not write there either, in its home. Root may, and so takes nothing from a home.
 */
const compiled = [
  { base: modules, place: '.cache/deployer' },
  { base: process.env.DEPLOYER_HOME ?? '', place: 'cache/command-line' },
]
  .filter(({ base }) => mayWrite(base))
  .map(({ base, place }) => join(base, place))[0];
/** As the dynamic loader ends, which has said what it misses. */
const NOT_LOADED = 127;
const LIBRARY = 'install what it misses (Debian: apt-get install libatomic1)';
const isOld = Number(process.versions.node.split('.')[0]) < WANTED_MAJOR;

if (!existsSync(dependency) || (isOld && !runtime)) {
  complain('the dependencies are missing: run `npm ci` in the project first');
} else if (isOld) {
  await again();
} else {
  if (compiled) nodeModule.enableCompileCache?.(compiled);
  const main = await import('./main.ts');
  await main.program();
}

/** Runs the same command by the project's runtime, which gets every signal that comes here. */
async function again() {
  const { spawn } = await import('node:child_process');
  const child = spawn(runtime, [program, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...(compiled && { NODE_COMPILE_CACHE: compiled }), ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
    process.on(signal, () => child.kill(signal));
  child.on('error', (error) => complain(`the project's runtime could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (code === NOT_LOADED) return complain(`the project's runtime cannot be loaded: ${LIBRARY}`);
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

/** @param {string} directory */
function mayWrite(directory) {
  try {
    accessSync(directory, access.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} cause */
function complain(cause) {
  process.stderr.write(`deployer: ${cause}\n`);
  // One object in every case, as everywhere else.
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ success: false, outcome: 'failed', details: { cause } })}\n`);
  }
  process.exitCode = 2;
}
