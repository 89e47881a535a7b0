import { html, nothing, type Html } from '../pages/html.ts';
import type { Finding } from './check-text.ts';

export function findingsList(findings: Finding[]): Html {
  if (findings.length === 0)
    return html`<p class="alert alert-success">The checks found nothing to mend.</p>`;
  return html`<section class="panel mb-4" aria-labelledby="findings">
    <h2 class="h5" id="findings">What the checks found</h2>
    <ul class="findings">
      ${findings.map(
        ({ severity, line, message }) =>
          html`<li>
            <span class="severity severity-${severity}">${severity}</span>
            ${line === null ? nothing : html`<span class="text-body-secondary">line ${line}</span>`}
            ${message}
          </li>`,
      )}
    </ul>
  </section>`;
}
