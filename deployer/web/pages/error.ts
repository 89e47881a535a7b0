import { html } from 'hono/html';
import type { Problem } from '../schemas.ts';
import { layout } from './layout.ts';
import type { Markup } from './markup.ts';

export function errorPage({ status, title, detail }: Problem): Markup {
  return layout({
    title,
    live: [],
    body: html`<h1>${title}</h1>
      <p class="lead">${detail}</p>
      <p class="quiet">HTTP ${status}. <a href="/">All environments</a></p>`,
  });
}
