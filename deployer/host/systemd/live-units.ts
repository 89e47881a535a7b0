import { readFileSync } from 'node:fs';
import { codeOf } from '../../problem.ts';
import { replaceFile } from './replace-file.ts';

/** The units that come up at boot (`environments/systemd/datatracker-live.service`): a line each, at most one an environment. */
export interface LiveUnits {
  /** In place of the environment's other one. */
  put(environment: string, unit: string): void;
  drop(unit: string): void;
}

export function liveUnits(file: string): LiveUnits {
  const read = () => textOf(file).split('\n').filter(Boolean);
  const write = (units: string[]) => replaceFile(file, units.map((unit) => `${unit}\n`).join(''));
  return {
    put(environment, unit) {
      const slots = ['blue', 'green'].map((slot) => `datatracker@${environment}-${slot}.service`);
      const units = read();
      if (units.includes(unit)) return;
      write([...units.filter((each) => !slots.includes(each)), unit]);
    },
    drop(unit) {
      const units = read();
      if (units.includes(unit)) write(units.filter((each) => each !== unit));
    },
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}
