import type { Logger } from 'pino';
import type { Conductor } from '../deployment/conductor.ts';
import type { Journal } from '../deployment/journal.ts';
import type { RunCommand } from '../host/types.ts';
import { oneLine } from '../problem.ts';
import { prove } from './proof.ts';
import { chosenSince, type Running, type Upgrades } from './place.ts';
import { tellTakenBack } from './take-over.ts';
import { endTrial, readFailures, writeFailure, writeTrial, type Failure } from './trial.ts';
import { wantedDeployer, type Wanted } from './wanted.ts';

export type Upgrade = ReturnType<typeof createUpgrade>;

/** Replaces the deployer by the one that `main` brings, when nothing runs. */
export function createUpgrade(parts: {
  home: string;
  running: Running;
  upgrades: Upgrades;
  journal: Pick<Journal, 'liveOf' | 'audit'>;
  names: () => Promise<string[]>;
  conductor: Pick<Conductor, 'rest' | 'resume'>;
  /** Has `put` done, by whoever may. */
  put: (name: string) => Promise<void>;
  runCommand: RunCommand;
  env: NodeJS.ProcessEnv;
  logger: Logger;
  /** Milliseconds. */
  proofMs?: number;
}) {
  const { home, running, upgrades, journal, names, conductor, put, logger, proofMs } = parts;
  const replaced = new AbortController();
  const stop = new AbortController();
  let problems: string[] = [];
  let turn: Promise<void> = Promise.resolve();
  let hasSaid = false;

  async function lookNow(): Promise<void> {
    if (replaced.signal.aborted || stop.signal.aborted) return;
    const since = running.name === null ? new Date(0) : await chosenSince(upgrades);
    const wanted = await wantedDeployer({ home, journal, names, since, running: running.directory });
    problems = [];
    if (!wanted) return;
    if (running.name === null) return sayOnce(wanted);
    const failed = (await readFailures(home)).find(({ identity }) => identity === wanted.identity);
    if (failed) problems = [sentence(failed)];
    else await replaceBy(wanted, running.name);
  }

  async function replaceBy(wanted: Wanted, from: string): Promise<void> {
    const { tree, commit, environment, identity } = wanted;
    logger.info({ tree, commit }, 'a new deployer: it has to prove itself on a copy of the state');
    const cause = await prove(wanted, { ...parts, proofMs, signal: stop.signal });
    if (stop.signal.aborted) return;
    if (cause !== null) return refuse(wanted, cause);
    await conductor.rest();
    if (stop.signal.aborted) return;
    try {
      await writeTrial(home, { from, to: tree, identity, commit, environment, starts: 0, back: null });
      await put(tree);
      logger.info({ from, to: tree }, 'it makes way for the new deployer');
      replaced.abort();
    } catch (error) {
      await endTrial(home);
      problems = [`the deployer of ${commit.slice(0, 8)} could not be put in place: ${oneLine(error)}`];
      logger.error({ err: error, tree }, 'a new deployer could not be put in place');
      await conductor.resume();
    }
  }

  async function refuse({ identity, tree, commit, environment }: Wanted, cause: string): Promise<void> {
    const failure = { identity, tree, commit, environment, cause, told: false };
    await writeFailure(home, failure);
    await tellTakenBack(parts);
    problems = [sentence(failure)];
  }

  function sayOnce({ commit }: Wanted): void {
    if (hasSaid) return;
    hasSaid = true;
    logger.info(
      { commit },
      'the live release brings another deployer: only on a host that install set up it replaces itself',
    );
  }

  return {
    /** Looks whether `main` has brought a new deployer, one look after the other. */
    look(): Promise<void> {
      turn = turn
        .then(lookNow)
        .catch((error: unknown) => logger.error({ err: error }, 'the look for a new deployer failed'));
      return turn;
    },

    /** Aborted when the next start is the new deployer's: the daemon has to end. */
    replaced: replaced.signal,

    problems: (): string[] => problems,

    /** Ends what is under way; does not wait for deployments. */
    stop: () => stop.abort(),
  };
}

function sentence({ commit, cause }: Pick<Failure, 'commit' | 'cause'>): string {
  return `the deployer of ${commit.slice(0, 8)} did not take over: ${cause}. Mend: a new commit, or deployer install from a clone`;
}
