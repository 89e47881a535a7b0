import { cpus, loadavg, totalmem } from 'node:os';
import { Arena } from './arena.ts';
import type { Entry } from './contestant.ts';
import { CONTESTANTS } from './contestants/all.ts';
import { judge } from './goals.ts';
import { parseOptions, USAGE, type Options, type Section } from './options.ts';
import { measureDatabases, measurePasts } from './sections/growth.ts';
import { measureVisitors } from './sections/load.ts';
import { measurePushes } from './sections/push.ts';
import { measureRollbacks } from './sections/rollback.ts';

/** Growth and visitors take long: fewer turns of each. */
const FEW_TURNS = 3;

type Log = (line: string) => void;

/** The benchmarks (contract section 1): everything in one run, against each other, as one JSON object. */
async function measure(options: Options, arena: Arena, log: Log): Promise<object> {
  const { scale } = options;
  const wants = (section: Section) => options.sections.includes(section);
  const began = machine();
  const few = Math.min(FEW_TURNS, scale.turns);
  const duel = await duels(options, arena, log);
  const database = wants('database') ? await measureDatabases(arena, scale.sizes, few, log) : undefined;
  const sized = { turns: few, megabytes: scale.megabytes };
  const history = wants('history') ? await measurePasts(arena, scale.pasts, sized, log) : undefined;
  return {
    machine: { began, ended: machine() },
    scale,
    contestants: chosen(options).map(({ name, about }) => ({
      name,
      about,
      skipped: arena.absent.find((absent) => absent.name === name)?.reason ?? null,
    })),
    goals: judge(duel),
    ...duel,
    database,
    history,
  };
}

/** What everybody takes part in, side by side. */
async function duels(options: Options, arena: Arena, log: Log) {
  const { scale } = options;
  const wants = (section: Section) => options.sections.includes(section);
  if (!(['push', 'rollback', 'load'] as const).some(wants)) return {};
  log('preparing the contestants');
  const participants = await arena.enterAll(chosen(options), scale.megabytes);
  for (const { name, reason } of arena.absent) log(`${name} is skipped: ${reason}`);
  const push = wants('push') ? { push: await measurePushes(participants, scale.turns, log) } : {};
  const rollback = wants('rollback')
    ? { rollback: await measureRollbacks(participants, scale.turns, log) }
    : {};
  const load: Record<string, Awaited<ReturnType<typeof measureVisitors>>> = {};
  for (const rate of wants('load') ? scale.rates : []) {
    load[rate] = await measureVisitors(participants, { rate, turns: Math.min(FEW_TURNS, scale.turns) }, log);
  }
  for (const participant of participants) await participant.leave();
  return { ...push, ...rollback, ...(wants('load') ? { load } : {}) };
}

function chosen({ contestants }: Options): readonly Entry[] {
  const unknown = contestants?.find((name) => !CONTESTANTS.some((entry) => entry.name === name));
  const names = CONTESTANTS.map(({ name }) => JSON.stringify(name)).join(', ');
  if (unknown !== undefined) throw new TypeError(`--contestants: there is no ${unknown}; there are ${names}`);
  return CONTESTANTS.filter(({ name }) => contestants?.includes(name) ?? true);
}

function machine() {
  return {
    at: new Date().toISOString(),
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    load: loadavg().map((value) => Math.round(value * 100) / 100),
  };
}

async function main(argv: readonly string[]): Promise<void> {
  const began = performance.now();
  const log: Log = (line) =>
    process.stderr.write(`${Math.round((performance.now() - began) / 1000)} s  ${line}\n`);
  const options = wanted(argv);
  if (!options) return;
  const arena = await Arena.open();
  const stop = () => void arena.close().finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    process.stdout.write(`${JSON.stringify(await measure(options, arena, log), null, 2)}\n`);
  } finally {
    await arena.close();
  }
}

function wanted(argv: readonly string[]): Options | null {
  try {
    const options = parseOptions(argv);
    chosen(options);
    return options;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\nusage: ${USAGE}\n`);
    process.exitCode = 2;
    return null;
  }
}

if (import.meta.main) await main(process.argv.slice(2));
