import type { Deployment, Stage } from '../deployment/model.ts';
import { duration } from '../web/format.ts';
import type { Io } from './io.ts';
import { stageLine } from './text/deployment.ts';
import { createPaint } from './text/paint.ts';

const TICK_MS = 200;
const CLEAR_LINE = '\r\u001B[2K';

/** Tells on stderr how a deployment goes on: a line for each stage that ended and, on a terminal, the one that runs, in place. */
export interface Progress {
  show(deployment: Deployment): void;
  end(): void;
}

export function createProgress(io: Io): Progress {
  const paint = createPaint(io, io.stderr);
  const told = new Set<string>();
  let current: { name: string; since: number } | null = null;

  const write = (text: string) => {
    io.stderr.write(io.stderr.isTTY === true ? `${CLEAR_LINE}${text}` : text);
  };
  const drawCurrent = () => {
    if (current === null || io.stderr.isTTY !== true) return;
    write(
      `  ${current.name.padEnd(9)}  ${paint.busy('running')}  ${duration(performance.now() - current.since).padStart(9)}`,
    );
  };
  const timer = setInterval(drawCurrent, TICK_MS);
  timer.unref();

  return {
    show({ stages }) {
      for (const stage of stages.filter((each) => isOver(each) && !told.has(each.name))) {
        told.add(stage.name);
        write(`${stageLine(stage, paint).join('  ').trimEnd()}\n`);
      }
      const running = stages.find((stage) => stage.state === 'running');
      if (running?.name !== current?.name) {
        current = running ? { name: running.name, since: performance.now() } : null;
      }
      drawCurrent();
    },
    end() {
      clearInterval(timer);
      if (io.stderr.isTTY === true) write('');
    },
  };
}

function isOver({ state, cause }: Stage): boolean {
  return state === 'done' || state === 'failed' || (state === 'skipped' && cause !== null);
}
