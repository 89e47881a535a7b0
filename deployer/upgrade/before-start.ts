import { oneLine } from '../problem.ts';
import { chosen, type Upgrades } from './place.ts';
import {
  endTrial,
  keepState,
  readTrial,
  restoreState,
  writeFailure,
  writeTrial,
  type Trial,
} from './trial.ts';

/** How often a new deployer may be started before it has passed; a reboot meanwhile costs it one. */
const MOST_STARTS = 2;

interface Machine {
  home: string;
  upgrades: Upgrades;
  /** Has `put` done, by whoever may. */
  put: (name: string) => Promise<void>;
}

/**
 * Before each start of the daemon, by the code that root installed: finishes or undoes what is under way of an upgrade.
 * A kill at any point leaves what the next start takes up, and either deployer starts with a state that is its own.
 */
export async function beforeStart(machine: Machine): Promise<void> {
  const { home, upgrades } = machine;
  const trial = await readTrial(home);
  if (!trial) return endTrial(home);
  if (trial.back !== null) return goBack(trial, machine);
  // It was not chosen yet when the deployer died; or root has installed another since.
  if (chosen(upgrades) !== trial.to) return endTrial(home);
  if (trial.starts >= MOST_STARTS)
    return turnBack(trial, `it was started ${trial.starts} times and did not come up`, machine);
  if (trial.starts === 0) {
    try {
      await keepState(home);
    } catch (error) {
      return turnBack(trial, `the state could not be kept: ${oneLine(error)}`, machine);
    }
  }
  await writeTrial(home, { ...trial, starts: trial.starts + 1 });
}

async function turnBack(trial: Trial, cause: string, machine: Machine): Promise<void> {
  const back = { ...trial, back: cause };
  await writeTrial(machine.home, back);
  await goBack(back, machine);
}

/** Each step may be repeated. Nothing is lost with the newer state: until it has passed, a new deployer accepts nothing. */
async function goBack(trial: Trial, { home, put }: Machine): Promise<void> {
  const { from, to, identity, commit, environment } = trial;
  await put(from);
  await restoreState(home);
  await writeFailure(home, { identity, tree: to, commit, environment, cause: trial.back ?? '', told: false });
  await endTrial(home);
}
