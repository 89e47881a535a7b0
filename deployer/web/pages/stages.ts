import { html } from 'hono/html';
import type { Stage } from '../../deployment/model.ts';
import { duration } from '../format.ts';
import type { Markup } from './markup.ts';

/** The stages of a running deployment in one line. */
export function progress(stages: Stage[]): Markup {
  const current = stages.find((stage) => stage.state === 'running');
  const done = stages.filter((stage) => stage.state === 'done' || stage.state === 'skipped').length;
  return html`<ol class="progress" aria-label="${done} of ${stages.length} stages are done">
    ${stages.map(
      (stage) =>
        html`<li class="${stage.state}" title="${stage.name}: ${stage.state}">
          <span>${stage.name === current?.name ? stage.name : ''}</span>
        </li>`,
    )}
  </ol>`;
}

/** The stages one below the other, each with a bar from its beginning to its end. */
export function timeline(stages: Stage[]): Markup {
  const total = Math.max(
    1,
    stages.reduce((sum, stage) => sum + (stage.durationMs ?? 0), 0),
  );
  let before = 0;
  const rows = stages.map((stage) => {
    const start = before;
    before += stage.durationMs ?? 0;
    return timelineRow(stage, (100 * start) / total, (100 * (stage.durationMs ?? 0)) / total);
  });
  return html`<ol class="timeline">
    ${rows}
  </ol>`;
}

/** The bar is an SVG, because the page allows no inline style. */
function timelineRow({ name, state, durationMs, cause }: Stage, start: number, width: number): Markup {
  const left = Math.min(start, 99.4);
  return html`<li class="${state}">
    <span class="name">${name}</span>
    <span class="state">${state === 'done' ? html`<span class="sr">done</span>` : state}</span>
    <svg class="bar" width="100%" height="10" aria-hidden="true">
      <rect class="track" x="0" y="4" width="100%" height="2" />
      ${
        durationMs !== null &&
        html`<rect
          x="${left.toFixed(2)}%"
          y="1"
          width="${Math.max(width, 0.6).toFixed(2)}%"
          height="8"
          rx="2"
        />`
      }
    </svg>
    <span class="took">${durationMs === null ? '' : duration(durationMs)}</span>
    ${cause !== null && html`<span class="cause">${cause}</span>`}
  </li>`;
}
