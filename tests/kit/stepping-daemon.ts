import { startDaemon } from '../../deployer/daemon/daemon.ts';
import { openLog } from '../../deployer/daemon/log.ts';
import { claimHome } from '../../deployer/daemon/home.ts';
import type { Tools } from '../../deployer/deployment/work.ts';
import { installHook } from '../../deployer/forge/local/origin.ts';
import { createRedaction } from '../../deployer/redaction.ts';
import { parseSettings } from '../../deployer/settings.ts';

/** What the test says: stop for good at the nth time of a step, go on, or end everything. */
export type Order = { arm: { step: string; nth: number } | null } | { go: true } | { end: true };
export type Message = { ready: string } | { step: string } | { reached: string };

let armed: { step: string; nth: number } | null = null;
let goOn = () => {};

/** Tells the test of each step; at the armed one it waits, so that the test can kill what it wants just there. */
async function step(name: string): Promise<void> {
  tell({ step: name });
  if (armed?.step !== name || --armed.nth > 0) return;
  armed = null;
  const { promise, resolve } = Promise.withResolvers<void>();
  goOn = resolve;
  tell({ reached: name });
  await promise;
}

function tell(message: Message): void {
  process.send?.(message);
}

type Method = (...args: never[]) => unknown;

/** Steps before and after each of these methods; `also` looks at what a method answered. */
function stepping<T extends object>(
  target: T,
  methods: readonly (keyof T & string)[],
  also: (method: string, result: unknown) => unknown = (_, result) => result,
): T {
  const wrapped = methods.map((name) => {
    const method = target[name] as Method;
    const call = async (...args: never[]) => {
      const label = `${name}${detail(args)}`;
      await step(`before ${label}`);
      const result: unknown = await method.apply(target, args);
      await step(`after ${label}`);
      return also(name, result);
    };
    return [name, call];
  });
  return { ...target, ...Object.fromEntries(wrapped) } as T;
}

/** What tells one call from another: a stage's name, a phase, the first key of a note. */
function detail(args: readonly unknown[]): string {
  const [, second] = args;
  if (typeof second === 'string' && /^[a-z_-]+$/.test(second)) return ` ${second}`;
  return typeof second === 'object' && second ? ` ${Object.keys(second)[0] ?? ''}` : '';
}

function instrument(tools: Tools): Tools {
  const journal = stepping(tools.journal, [
    ...(['begin', 'restart', 'note', 'suites', 'phase', 'live', 'takenBack', 'finish'] as const),
  ]);
  return {
    ...tools,
    journal: {
      ...journal,
      async stage(id, name, run) {
        await step(`before ${name}`);
        await tools.journal.stage(id, name, async () => {
          await step(`in ${name}`);
          const result = await run();
          await step(`did ${name}`);
          return result;
        });
        await step(`after ${name}`);
      },
    },
    instances: stepping(tools.instances, ['put', 'drop']),
    backups: stepping(tools.backups, ['prepare', 'restore', 'saveDropped']),
    frontDoor: stepping(tools.frontDoor, ['point', 'hold', 'letGo'], (method, result) =>
      method === 'hold' && result ? stepping(result, ['drained', 'switchTo', 'release'] as never[]) : result,
    ),
    generations: (environment) => {
      const generations = tools.generations(environment);
      const methods = ['copy', 'beginCopy', 'create', 'remove', 'setCurrent', 'sweep', 'lock'] as const;
      return (
        generations &&
        stepping(generations, methods, (method, result) =>
          method === 'beginCopy' && result ? stepping(result, ['complete', 'drop'] as never[]) : result,
        )
      );
    },
  };
}

async function main(): Promise<void> {
  const settings = parseSettings(process.env);
  claimHome(settings.home);
  const daemon = await startDaemon({
    settings,
    logger: openLog(settings, createRedaction().redact),
    instrument,
  });
  await installHook({ home: settings.home, url: daemon.url });
  process.on('message', (order: Order) => {
    if ('end' in order) void daemon.stop().then(() => process.exit(0));
  });
  tell({ ready: daemon.url });
}

if (import.meta.main) {
  // The first order comes before anything starts, so that the recovery too can be stepped through.
  process.on('message', (order: Order) => {
    if ('go' in order) goOn();
    if ('arm' in order) armed = order.arm;
  });
  process.once('message', () => void main());
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}
