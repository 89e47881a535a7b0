import { parseArgs } from 'node:util';

const SECTIONS = ['push', 'rollback', 'load', 'database', 'history'] as const;
export type Section = (typeof SECTIONS)[number];

/** How much is measured. */
interface Scale {
  /** Turns of each measurement. */
  turns: number;
  /** Megabytes of the database everywhere but where it grows. */
  megabytes: number;
  /** Requests a second. */
  rates: number[];
  /** Megabytes, for how cost grows. */
  sizes: number[];
  /** Past deployments, for how cost grows. */
  pasts: number[];
}

const FULL: Scale = {
  turns: 5,
  megabytes: 10,
  rates: [300, 2000],
  sizes: [10, 200, 1024],
  pasts: [10, 1000, 100_000],
};
const QUICK: Scale = { turns: 1, megabytes: 1, rates: [50], sizes: [1], pasts: [10] };

export interface Options {
  sections: readonly Section[];
  /** Names, or null: all. */
  contestants: readonly string[] | null;
  scale: Scale;
}

export const USAGE = `node tests/benchmarks/run.ts [--quick] [--turns N] [--only ${SECTIONS.join(',')}] [--contestants NAME,…] [--sizes MB,…] [--pasts N,…]`;

/** @throws TypeError for what is no option, or no section */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      turns: { type: 'string' },
      contestants: { type: 'string' },
      sizes: { type: 'string' },
      pasts: { type: 'string' },
    },
  });
  const asked = values.only?.split(',');
  const unknown = asked?.find((name) => !SECTIONS.some((section) => section === name));
  if (unknown !== undefined)
    throw new TypeError(`--only: there is no ${unknown}; there are ${SECTIONS.join(', ')}`);
  const turns = Number(values.turns ?? 1);
  if (!Number.isInteger(turns) || turns < 1)
    throw new TypeError('--turns: expected a whole number from 1 on');
  const whole = values.quick ? QUICK : FULL;
  const sizes = numbers(values.sizes, '--sizes') ?? whole.sizes;
  const scale = { ...whole, sizes, pasts: numbers(values.pasts, '--pasts') ?? whole.pasts };
  return {
    sections: SECTIONS.filter((section) => asked?.includes(section) ?? true),
    contestants: values.contestants?.split(',') ?? null,
    scale: values.turns === undefined ? scale : { ...scale, turns },
  };
}

function numbers(text: string | undefined, option: string): number[] | undefined {
  const given = text?.split(',').map(Number);
  if (given?.some((number) => !Number.isInteger(number) || number < 1))
    throw new TypeError(`${option}: expected whole numbers from 1 on, with commas between them`);
  return given;
}
