import { html } from 'hono/html';
import type { Outcome } from '../../deployment/model.ts';

import { shortCommit } from '../format.ts';
/** Escaped HTML, whole or still being put together. */
export type Markup = ReturnType<typeof html>;

/** How a page shows what is stored; `commitUrl` is where the forge shows a commit. */
export interface View {
  commitUrl?: ((commit: string) => string) | undefined;
}

/** `2026-11-20 19:43`, UTC; machines read the full time. */
export function when(time: string): Markup {
  const parsed = new Date(time);
  if (Number.isNaN(parsed.getTime())) return html`${time}`;
  const iso = parsed.toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 16).replace('T', ' ')}</time>`;
}

const TONES: Record<Outcome, string> = {
  deployed: 'good',
  ok: 'good',
  rejected: 'bad',
  rolled_back: 'bad',
  failed: 'bad',
  refused: 'warn',
  superseded: 'mute',
  needs_attention: 'bad',
};

/** The outcome in words; its colour only repeats them. `null` is a deployment that still runs. */
export function badge(outcome: Outcome | null): Markup {
  const tone = outcome === null ? 'busy' : TONES[outcome];
  return html`<span class="badge ${tone}">${outcome?.replaceAll('_', ' ') ?? 'running'}</span>`;
}

export function commitLink(commit: string, { commitUrl }: View): Markup {
  const short = html`<code title="${commit}">${shortCommit(commit)}</code>`;
  return commitUrl === undefined ? short : html`<a href="${commitUrl(commit)}">${short}</a>`;
}
