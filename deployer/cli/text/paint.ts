import { styleText } from 'node:util';
import type { Outcome } from '../../deployment/model.ts';
import type { Io, Output } from '../io.ts';

type Brush = (text: string) => string;

/** Colours where they are welcome, otherwise the bare text. */
export interface Paint {
  good: Brush;
  bad: Brush;
  warn: Brush;
  busy: Brush;
  quiet: Brush;
  strong: Brush;
  outcome: (outcome: Outcome | null) => string;
}

/** Colours on a terminal, unless `NO_COLOR` is set: https://no-color.org */
export function createPaint({ env }: Pick<Io, 'env'>, output: Output): Paint {
  const isOn = output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const brush = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    isOn && text !== '' ? styleText(format, text, { validateStream: false }) : text;
  const [good, bad, warn] = [brush('green'), brush('red'), brush('yellow')];
  const [busy, quiet, strong] = [brush('blue'), brush('dim'), brush('bold')];
  const tones: Record<Outcome, (text: string) => string> = {
    deployed: good,
    ok: good,
    rejected: bad,
    rolled_back: bad,
    failed: bad,
    refused: warn,
    superseded: quiet,
    needs_attention: bad,
  };
  const outcome = (value: Outcome | null) => (value === null ? busy('running') : tones[value](value));
  return { good, bad, warn, busy, quiet, strong, outcome };
}
