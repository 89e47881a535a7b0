import { html } from 'hono/html';
import { COMMAND } from '../../command.ts';
import type { Markup } from './markup.ts';

export interface Page {
  title: string;
  /** Where this page's changes come from while something runs; the script listens there. */
  live: string[];
  body: Markup;
}

/** A whole page; without JavaScript one that is live asks again by itself. */
export function layout({ title, live, body }: Page): Markup {
  const refresh = live.length > 0 ? html`<noscript><meta http-equiv="refresh" content="5" /></noscript>` : '';
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Deployer</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        <script src="/assets/live.js" type="module"></script>
        ${refresh}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="home" href="/"><img src="/assets/icon.svg" alt="" width="22" height="22" />Deployer</a>
          <nav aria-label="Machine-readable">
            <a href="/api/openapi.json">API</a><a href="/metrics">Metrics</a><a href="/readyz">Ready</a>
          </nav>
        </header>
        <main id="main" tabindex="-1" data-live="${live.join(' ')}">${body}</main>
        <footer>
          Times are UTC. This page changes nothing: that is what <code>${COMMAND}</code> is for.
        </footer>
      </body>
    </html>`;
}
