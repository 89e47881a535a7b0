import { html } from 'hono/html';
import { COMMAND } from '../../command.ts';
import type { Deployment } from '../../deployment/model.ts';
import { duration, shortCommit, subject } from '../format.ts';
import { layout } from './layout.ts';
import type { LogTail } from './log-tail.ts';
import { badge, commitLink, when } from './markup.ts';
import type { Markup, View } from './markup.ts';
import { timeline } from './stages.ts';
import { suiteList } from './suites.ts';

/** One deployment: how it ended and why, then where the time went, what was verified, and the log. */
export function deploymentPage(deployment: Deployment, log: LogTail, view: View): Markup {
  const { id, outcome, cause, stages, suites, logTail = [], reproduce = [] } = deployment;
  const title = capitalised(subject(deployment));
  return layout({
    title,
    live: outcome === null ? [`/api/deployments/${id}`] : [],
    body: html`<h1>
        ${badge(outcome)}
        <span>${title}</span>
      </h1>
      ${cause !== null && html`<p class="lead cause">${cause}</p>`} ${facts(deployment, view)}
      <h2>Stages</h2>
      ${timeline(stages)} ${suites.length > 0 && html`<h2>Verification</h2>`}
      ${suites.length > 0 && suiteList(suites)}
      ${logTail.length > 0 && html`<h2>The last lines of the instance</h2>`}
      ${logTail.length > 0 && lines('Last lines of the instance', logTail)}
      <h2>Log</h2>
      ${logBlock(id, log)}
      <h2>On the command line</h2>
      <pre class="commands"><code>${commands(deployment)}</code></pre>
      ${reproduce.length > 0 && html`<h2>Reproduce it in a clone</h2>`}
      ${reproduce.length > 0 && lines('Commands that reproduce it', reproduce)}`,
  });
}

function facts(deployment: Deployment, view: View): Markup {
  const { id, branch, commit, tree, tag, requestedBy, requestedAt, liveAt, finishedAt } = deployment;
  const rows: [string, Markup | string | null][] = [
    ['Commit', html`${commitLink(commit, view)} <span class="branch">${branch}</span>`],
    ['Tree', tree === null ? null : html`<code title="${tree}">${shortCommit(tree)}</code>`],
    ['Tag', tag],
    ['Asked for by', requestedBy],
    ['Asked for', when(requestedAt)],
    ['Live', liveAt === null ? null : when(liveAt)],
    ['Finished', finishedAt === null ? null : when(finishedAt)],
    ['Took', finishedAt === null ? null : duration(Date.parse(finishedAt) - Date.parse(requestedAt))],
    ['Id', html`<code>${id}</code>`],
  ];
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        value !== null &&
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function logBlock(id: string, { lines: logged, earlier }: LogTail): Markup {
  const whole = html`<a href="/api/deployments/${id}/log">the whole log</a>`;
  if (logged.length === 0) return html`<p class="quiet">Nothing was logged.</p>`;
  return html`<p class="quiet">${earlier > 0 ? `${earlier} earlier lines; ` : ''}${whole}</p>
    ${lines('Log', logged)}`;
}

function lines(label: string, text: readonly string[]): Markup {
  return html`<pre
    class="log"
    tabindex="0"
    role="region"
    aria-label="${label}"
  ><code>${text.join('\n')}</code></pre>`;
}

function commands({ id, environment, outcome }: Deployment): string {
  const follow = outcome === null ? `${COMMAND} logs ${id} --follow` : `${COMMAND} verify ${environment}`;
  return `${COMMAND} show ${id}\n${follow}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
