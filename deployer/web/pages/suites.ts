import { html } from 'hono/html';
import type { Check, Suite } from '../../deployment/model.ts';
import { duration } from '../format.ts';
import type { Markup } from './markup.ts';

/** The suites, failed ones first and open. */
export function suiteList(suites: Suite[]): Markup {
  return html`<div class="suites">${failedFirst(suites).map(suiteItem)}</div>`;
}

function suiteItem({ name, success, durationMs, checks }: Suite): Markup {
  const failed = checks.filter((check) => !check.success).length;
  const result = success ? `${checks.length} passed` : `${failed} of ${checks.length} failed`;
  return html`<details class="suite ${success ? 'good' : 'bad'}" ${success ? '' : 'open'}>
    <summary>
      <span class="name">${name}</span> <span class="result">${result}</span>
      <span class="took">${duration(durationMs)}</span>
    </summary>
    <ul>
      ${failedFirst(checks).map(checkItem)}
    </ul>
  </details>`;
}

function checkItem({ name, success, expected, actual, hint, location }: Check): Markup {
  if (success) return html`<li class="good"><span class="sr">passed: </span>${name}</li>`;
  return html`<li class="bad">
    <p><strong>${name}</strong></p>
    <dl>
      <dt>expected</dt>
      <dd><code>${expected}</code></dd>
      <dt>actual</dt>
      <dd><code>${actual}</code></dd>
      ${
        hint !== null &&
        html`<dt>hint</dt>
          <dd>${hint}</dd>`
      }
      ${
        location !== null &&
        html`<dt>where</dt>
          <dd><code>${location}</code></dd>`
      }
    </dl>
  </li>`;
}

function failedFirst<T extends { success: boolean }>(list: T[]): T[] {
  return [...list.filter((item) => !item.success), ...list.filter((item) => item.success)];
}
