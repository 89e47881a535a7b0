import { existsSync, realpathSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../environments/schema.ts';
import type { Generation } from '../data/types.ts';
import { FailedError, oneLine } from '../problem.ts';
import { putMode } from '../host/mode.ts';
import type { InstanceSpec } from '../host/types.ts';
import type { Release } from '../release/types.ts';
import { argvOf, filesOf, releaseEnvironment, writesOf } from './environment-of.ts';
import { SILENCE, tellingWords } from './last-words.ts';
import { digestOf } from './own-secrets.ts';
import { isSlot, socketOf, type Instance, type Tools } from './work.ts';

const HEALTH_TIMEOUT_MS = 5000;
/** Between two looks for an instance's socket. */
const LOOK_MS = 3;
/** So many looks for the socket come to one for the process, which costs more. */
const LOOKS = 10;
const MODE_TIMEOUT_MS = 10_000;
/** Characters of an answer that may be repeated. */
const SAID = 1000;
/** An instance in `settle` and after it gets this long to finish what is in flight. */
export const DRAIN_MS = 15_000;

export interface BootRequest {
  config: Environment;
  slot: string;
  release: Release;
  generation: Generation | null;
  deployment: { id: string; commit: string; branch: string };
  /** See `releaseEnvironment`. */
  runsAgain?: boolean | undefined;
  /** When it went live, of what is started again; absent: it is started for the first time, and this is when. */
  deployedAt?: string | null;
  /** DEPLOYMENT_MODE: true until the instance is live. */
  readOnly: boolean;
  signal: AbortSignal;
  /** Given what tells the end of what it has written, also once it has ended. */
  onStart?: (said: () => Promise<string>) => void;
  /** No visitor ever comes to it. */
  background?: boolean;
}

/**
 * Starts an instance on the slot's private socket and waits until its health answers 200.
 * @throws FailedError with what it said last; it is then stopped
 */
export async function boot(tools: Tools, request: BootRequest): Promise<Instance> {
  const { config, slot, deployment } = request;
  const socket = socketPath(tools, config.name, slot);
  const logFile = instanceLog(tools, config.name, slot);
  const secrets = tools.secretsOf(config.name);
  const env = releaseEnvironment({
    home: tools.home,
    config,
    release: request.release,
    generation: request.generation,
    deployment: deployment.id,
    commit: deployment.commit,
    branch: deployment.branch,
    deployedAt: request.deployedAt ?? tools.clock().toISOString(),
    secrets,
    runsAgain: request.runsAgain,
  });
  const spec: InstanceSpec = {
    environment: config.name,
    slot,
    argv: argvOf(tools.splitCommand, config, 'start'),
    cwd: request.release.directory,
    env: {
      ...env,
      LISTEN: socket,
      DEPLOYMENT_MODE: String(request.readOnly),
    },
    socket,
    logFile,
    ...accessOf(filesOf(tools.home, config.name), slot, env),
    background: request.background ?? false,
  };
  const process = await tools.services.start(spec);
  const given = digestOf(secrets);
  const instance: Instance = { environment: config.name, slot, deployment: deployment.id, process, given };
  try {
    await tools.instances.put(instance);
    const said = async () => tools.redaction.hide(await tools.services.said(spec, process));
    request.onStart?.(said);
    const words = async () => tellingWords(await said(), request.release.directory);
    await healthy(tools, instance, config.boot.timeout, request.signal, words);
    return instance;
  } catch (error) {
    await stop(tools, instance, 0);
    throw error;
  }
}

/** One that is only tried, and is given the live files, must not change them: where instances are units, it cannot. */
function accessOf(live: string, slot: string, env: Readonly<Record<string, string>>) {
  const reads = isSlot(slot) || env['FILES_DIR'] !== live ? [] : [live];
  return { reads, writes: writesOf(env).filter((path) => !reads.includes(path)) };
}

/** Where an instance serves. */
export function socketPath(tools: Pick<Tools, 'runDirectory'>, environment: string, slot: string): string {
  return join(tools.runDirectory.of(environment), socketOf(slot));
}

/** The same, with nothing in between: where a manager of instances has put it. */
export function realSocketPath(
  tools: Pick<Tools, 'runDirectory'>,
  environment: string,
  slot: string,
): string {
  const path = socketPath(tools, environment, slot);
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** A rehearsal's instances write one after the other to the same file. */
function instanceLog(tools: Pick<Tools, 'home'>, environment: string, slot: string): string {
  return join(tools.home, 'logs', `${environment}-${slot.replace(/-[0-9a-f]{6}$/, '')}.log`);
}

export async function stop(
  tools: Pick<Tools, 'services' | 'instances' | 'runDirectory'>,
  { environment, slot, process }: Instance,
  graceMs: number,
): Promise<void> {
  await tools.services.stop(process, graceMs);
  // One that is killed leaves its socket. A slot's is served again; a rehearsal's has a name that never comes again.
  if (!isSlot(slot)) rmSync(socketPath(tools, environment, slot), { force: true });
  await tools.instances.drop(environment, slot);
}

async function healthy(
  tools: Tools,
  instance: Instance,
  timeoutMs: number,
  signal: AbortSignal,
  words: () => Promise<string>,
): Promise<void> {
  const socket = socketPath(tools, instance.environment, instance.slot);
  const deadline = performance.now() + timeoutMs;
  let last = 'nothing answers on the socket that LISTEN names';
  await untilThere(tools, instance, socket, deadline, signal);
  for (let pause = 5; ; pause = Math.min(pause * 1.3, 100)) {
    signal.throwIfAborted();
    const health = await healthOf(
      socket,
      Math.max(1, Math.min(HEALTH_TIMEOUT_MS, deadline - performance.now())),
      signal,
    );
    if (health.status === 200) return;
    if (health.status !== null) last = `${HEALTH} answered ${health.status}${quoted(health.said)}`;
    // The last look may be cut short by the deadline: what it answered before says more.
    else if (health.hung && !last.startsWith(`${HEALTH} answered`)) last = `${HEALTH} did not answer`;
    if (!tools.services.alive(instance.process)) {
      const said = await words();
      throw new FailedError(said === SILENCE ? ENDED_SILENTLY : `crashed at the start: ${said}`);
    }
    if (performance.now() > deadline) {
      const log = await words();
      const more = log === SILENCE ? '' : `; its log ends with: ${log}`;
      throw new FailedError(`not healthy within ${timeoutMs / 1000} s: ${last}${more}`);
    }
    await sleep(pause);
  }
}

const ENDED_SILENTLY =
  'ended at the start and said nothing: commands.start has to be the server itself, in the foreground, until SIGTERM';

/** To ask a socket that is not there yet costs many times what it costs to see that: so it is seen at once. */
async function untilThere(
  tools: Pick<Tools, 'services'>,
  { process }: Instance,
  socket: string,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  const waits = () => !signal.aborted && performance.now() < deadline;
  for (let looks = 1; !existsSync(socket) && waits(); looks++) {
    if (looks % LOOKS === 0 && !tools.services.alive(process)) return;
    await sleep(LOOK_MS);
  }
}

/** As an application's author knows it (contract section 4). */
export const HEALTH = 'GET /_deploy/health';

const quoted = (said: string) => (said.trim() === '' ? '' : ` ${oneLine(said, 120)}`);

export interface Health {
  /** HTTP status, null when there was no answer. */
  status: number | null;
  /** Connected, but no answer in time. */
  hung: boolean;
  /** How the answer's body begins. */
  said: string;
}

/** Asks an instance for its health on its own socket. Never throws, but for an aborted signal. */
export function healthOf(socket: string, timeoutMs: number, signal?: AbortSignal): Promise<Health> {
  return ask(socket, { path: '/_deploy/health', timeoutMs, signal });
}

/**
 * Ends or begins DEPLOYMENT_MODE on the instance's own socket.
 * @returns false when the application has no such mode (404, 405, 501): the front door alone keeps writes from it
 */
export async function setReadOnly(
  tools: Tools,
  instance: Pick<Instance, 'environment' | 'slot'>,
  readOnly: boolean,
): Promise<boolean> {
  // First: what the machine brings up again after a crash must not be in another mode.
  await tools.services.keep(instance, readOnly ? 'read-only' : 'live');
  const socket = socketPath(tools, instance.environment, instance.slot);
  const status = await putMode(socket, readOnly, MODE_TIMEOUT_MS);
  if (status === 204 || status === 200) return true;
  if (status === 404 || status === 405 || status === 501) return false;
  throw new FailedError(
    `PUT /_deploy/mode ${status === null ? 'did not answer' : `answered ${status}`}, expected 204`,
  );
}

function ask(
  socket: string,
  options: {
    path: string;
    timeoutMs: number;
    signal?: AbortSignal | undefined;
  },
): Promise<Health> {
  const { promise, resolve } = Promise.withResolvers<Health>();
  const { path, timeoutMs, signal } = options;
  const headers = { host: 'localhost' };
  let connected = false;
  let said = '';
  const asked = httpRequest({ socketPath: socket, path, headers, agent: false }, (response) => {
    const answered = () => resolve({ status: response.statusCode ?? null, hung: false, said });
    response
      .setEncoding('utf8')
      .on('data', (chunk: string) => (said = (said + chunk).slice(0, SAID)))
      .once('close', answered);
  });
  asked.on('socket', (connection) => connection.once('connect', () => (connected = true)));
  asked.once('error', () => resolve({ status: null, hung: connected, said }));
  const deadline = setTimeout(() => asked.destroy(new Error('timed out')), timeoutMs);
  const abort = () => asked.destroy(new Error('aborted'));
  signal?.addEventListener('abort', abort, { once: true });
  asked.once('close', () => {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', abort);
  });
  asked.end();
  return promise;
}
