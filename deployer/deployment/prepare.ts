import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { oneLine } from '../problem.ts';
import type { DeploymentRecord } from './record.ts';
import type { Live, Slot, Tools, Work } from './work.ts';

/** Everything that the stages begin with. */
export async function prepare(
  tools: Tools,
  record: DeploymentRecord,
  { signal, hurry, slotIsFree }: Pick<Work, 'signal' | 'hurry' | 'slotIsFree'>,
): Promise<Work> {
  const { journal } = tools;
  const past = record.phase === 'live' || record.phase === 'reverting';
  const before = past
    ? record.replaced && (await journal.get(record.replaced))
    : await journal.liveOf(record.environment);
  const rollbackTarget = record.request.target ? await journal.get(record.request.target) : null;
  const config = record.config ?? (before ? before.config : null);
  const work: Work = {
    tools,
    record,
    rollbackTarget,
    signal,
    hurry,
    live: before ? await (past ? earlierFrom(tools, before) : liveFrom(tools, before)) : null,
    log: await deploymentLog(tools, record.id),
    target: {
      commit: record.commit,
      tree: record.tree ?? '',
      subject: '',
      author: '',
      parents: [],
    },
    config: config as Work['config'],
    release: null,
    plan: { kind: 'same' },
    rehearsed: false,
    ran: [],
    applied: [],
    proven: record.proven,
    nextCopy: null,
    hold: null,
    writeLock: null,
    generation: null,
    ownsGeneration: false,
    watch: null,
    candidate: null,
    early: null,
    sound: Promise.resolve(null),
    files: null,
    ahead: null,
    clearing: Promise.resolve(),
    slotIsFree,
    liveSince: null,
    lastAudited: null,
    retiring: null,
    warm: false,
    suites: [],
    backup: null,
    outputs: { rehearsal: null, candidate: null },
  };
  return past ? resume(work) : work;
}

/** A deployment that is live already: what its stages had found, from the journal. */
async function resume(work: Work): Promise<Work> {
  const { tools, record, config } = work;
  const candidate = record.slot ? await tools.instances.get(record.environment, record.slot) : null;
  const generation = record.generation ? (tools.generations(config)?.open(record.generation) ?? null) : null;
  const release = await tools.releases.build({
    commit: record.commit,
    tree: record.tree ?? '',
    install: config.commands.install,
    log: work.log,
    signal: work.signal,
  });
  return { ...work, candidate, generation, release, applied: record.applied ?? [] };
}

export function liveFrom(tools: Pick<Tools, 'generations'>, record: DeploymentRecord): Live | null {
  const { config, slot, generation } = record;
  if (!config || !slot) return null;
  return {
    record,
    config,
    slot: slot as Slot,
    generation: generation ? (tools.generations(config)?.open(generation) ?? null) : null,
  };
}

/** What a deployment that is live took the place of; its generation may have been swept already. */
async function earlierFrom(tools: Tools, record: DeploymentRecord): Promise<Live | null> {
  const { config, generation } = record;
  const present = config && generation ? await tools.generations(config)?.list() : undefined;
  const isSwept = generation !== null && present?.includes(generation) === false;
  const live = liveFrom(tools, isSwept ? { ...record, generation: null } : record);
  return live && { ...live, record };
}

/** The deployment's own log: one line a call, written in order. */
async function deploymentLog(
  tools: Pick<Tools, 'home' | 'clock' | 'logger' | 'redaction'>,
  id: string,
): Promise<(line: string) => void> {
  const file = logFileOf(tools.home, id);
  await mkdir(dirname(file), { recursive: true });
  let writing = Promise.resolve();
  return (line) => {
    const said = oneLine(tools.redaction.redact(line), 2000);
    tools.logger.info({ deployment: id }, said);
    const text = `${tools.clock().toISOString()} ${said}\n`;
    writing = writing.then(() => appendFile(file, text)).catch(() => undefined);
  };
}

/** Where the deployments' own logs are, by id. */
export const deploymentLogs = (home: string): string => join(home, 'logs', 'deployments');

export function logFileOf(home: string, id: string): string {
  return join(deploymentLogs(home), `${id}.log`);
}
