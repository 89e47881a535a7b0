import { holdsAny } from '../accounts/users.ts';
import { CSRF_FIELD } from '../http/csrf.ts';
import type { Page } from '../http/reply.ts';
import type { Theme, Visit } from '../http/visit.ts';
import { assetUrl } from './assets.ts';
import { html, nothing, raw, type Html } from './html.ts';

/** The frame that every page shares. */
export function layout(visit: Visit, page: Page): Html {
  const theme = visit.theme === 'auto' ? '' : raw(` data-bs-theme="${visit.theme}"`);
  return html`<!doctype html>
    <html lang="en" data-theme="${visit.theme}" ${theme}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} · MLTF Datatracker</title>
        <link rel="icon" href="${assetUrl('icon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assetUrl('bootstrap.min.css')}" />
        <link rel="stylesheet" href="${assetUrl('site.css')}" />
        <script src="${assetUrl('site.js')}"></script>
      </head>
      <body>
        <a class="skip-link" href="#main">Skip to content</a>
        ${header(visit)}
        <main id="main" tabindex="-1" ${page.wide === true ? '' : raw(' class="container-xl py-4"')}>
          ${page.body}
        </main>
        ${footer(visit)}
      </body>
    </html>`;
}

/** Goes first into every form. */
export function csrfInput(visit: Visit): Html {
  return html`<input type="hidden" name="${CSRF_FIELD}" value="${visit.csrfToken}" />`;
}

function header(visit: Visit): Html {
  return html`<header class="site-header">
    <div class="container-xl">
      <a class="brand" href="/">
        <img src="${assetUrl('icon.svg')}" alt="" width="34" height="34" />
        <span
          ><span class="brand-name">Datatracker</span
          ><span class="brand-line">Meta-Layer Task Force</span></span
        >
      </a>
      <nav aria-label="Main">
        <ul>
          ${links(visit).map(([path, label]) => html`<li><a href="${path}" ${current(visit, path)}>${label}</a></li>`)}
        </ul>
      </nav>
      <form class="header-search" role="search" action="/doc/all/" method="get">
        <input
          class="form-control form-control-sm"
          type="search"
          name="q"
          aria-label="Search documents"
          placeholder="Search documents"
        />
      </form>
      ${account(visit)}
    </div>
  </header>`;
}

function links(visit: Visit): [string, string][] {
  const shown: [string, string][] = [
    ['/doc/all/', 'Documents'],
    ['/group/', 'Groups'],
    ['/submit/', 'Submit'],
  ];
  if (holdsAny(visit.user, ['approver', 'administrator'])) shown.push(['/admin/', 'Administration']);
  return shown;
}

function current(visit: Visit, path: string): Html {
  return visit.url.startsWith(path) ? raw(' aria-current="page"') : nothing;
}

function account(visit: Visit): Html {
  if (visit.user === null) {
    return html`<div class="account">
      <a href="/login/">Log in</a>
      <a class="btn btn-sm btn-light" href="/accounts/create/">Register</a>
    </div>`;
  }
  return html`<div class="account">
    <a href="/accounts/profile/">${visit.user.name}</a>
    <form method="post" action="/logout/">
      ${csrfInput(visit)}<button class="btn btn-sm btn-outline-light">Log out</button>
    </form>
  </div>`;
}

const THEMES: [Theme, string][] = [
  ['auto', 'Auto'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

function footer(visit: Visit): Html {
  const { settings } = visit.services;
  return html`<footer class="site-footer">
    <div class="container-xl">
      <p class="mb-0">
        The public record of the Meta-Layer Task Force.
        ${settings.ENVIRONMENT === 'prod' ? nothing : html`<span class="badge text-bg-warning">${settings.ENVIRONMENT}</span>`}
        ${settings.RELEASE_COMMIT === '' ? nothing : html`<span class="small">Release <code>${settings.RELEASE_COMMIT.slice(0, 8)}</code></span>`}
      </p>
      <form class="theme-switch" method="post" action="/theme/">
        ${csrfInput(visit)}<input type="hidden" name="back" value="${visit.url}" />
        <div role="group" aria-label="Theme">
          <span class="theme-label" aria-hidden="true">Theme</span>
          ${THEMES.map(([theme, label]) => html`<button name="theme" value="${theme}" aria-pressed="${String(theme === visit.theme)}">${label}</button>`)}
        </div>
      </form>
    </div>
  </footer>`;
}
