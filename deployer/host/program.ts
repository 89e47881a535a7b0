import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** Whether a program can be found as a process with that directory and PATH would. */
export function isProgram(program: string, cwd: string, path = ''): boolean {
  const places = program.includes('/') ? [cwd] : path.split(delimiter).filter(Boolean);
  return places.some((place) => isExecutable(resolve(cwd, place, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
