import { html, nothing, type Html } from '../pages/html.ts';
import { date } from '../pages/parts.ts';
import type { ListedDocument } from './list.ts';
import { formatNumber, stateLabel, type State } from './state.ts';

export function stateBadge(state: State): Html {
  return html`<span class="state state-${state}">${stateLabel(state)}</span>`;
}

export function documentAddress(name: string): string {
  return `/doc/draft/${name}/`;
}

export function documentCard(document: ListedDocument): Html {
  const { name, title, abstract, state, current_rev, ml_number, updated_at, acronym } = document;
  return html`<li class="doc-card">
    <div class="doc-card-meta">
      ${stateBadge(state)}
      ${ml_number === null ? nothing : html`<span class="ml-number">${formatNumber(ml_number)}</span>`}
      ${acronym === null ? nothing : html`<a class="group-link" href="/group/${acronym}/">${acronym}</a>`}
      <span class="ms-auto">${date(updated_at)}</span>
    </div>
    <h2><a href="${documentAddress(name)}">${title}</a></h2>
    <p class="doc-name"><code>${name}-${current_rev}</code></p>
    <p class="clamp mb-0">${abstract}</p>
  </li>`;
}
