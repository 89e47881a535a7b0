import { html } from 'hono/html';
import type { Deployment, DeploymentSummary, EnvironmentStatus } from '../../deployment/model.ts';
import { ago, subject } from '../format.ts';
import { layout } from './layout.ts';
import { badge, commitLink, when } from './markup.ts';
import type { Markup, View } from './markup.ts';
import { progress } from './stages.ts';

export interface Overview {
  environments: EnvironmentStatus[];
  deployments: DeploymentSummary[];
  problems: string[];
}

/** Problems first, then each environment, then what happened lately. */
export function overview({ environments, deployments, problems }: Overview, view: View): Markup {
  const running = environments.flatMap((environment) => environment.running ?? environment.waiting ?? []);
  return layout({
    title: 'Environments',
    live: running.map(({ id }) => `/api/deployments/${id}`),
    body: html`<h1>Environments</h1>
      ${problemList(problems)}
      <div class="cards">${environments.map((environment) => card(environment, view))}</div>
      ${environments.length === 0 && nothingYet}
      <h2>Recent deployments</h2>
      ${deployments.length === 0 ? html`<p class="quiet">None yet.</p>` : history(deployments, view)}`,
  });
}

const nothingYet = html`<p class="lead">
  No environment yet. One exists when the branch that <code>environments/NAME.yaml</code> names holds that
  file.
</p>`;

function problemList(problems: string[]): Markup | false {
  if (problems.length === 0) return false;
  const title = problems.length === 1 ? 'One problem' : `${problems.length} problems`;
  return html`<section class="problems" aria-label="Problems">
    <h2>${title}</h2>
    <ul>
      ${problems.map((problem) => html`<li>${problem}</li>`)}
    </ul>
  </section>`;
}

function card(environment: EnvironmentStatus, view: View): Markup {
  const { name, live, running, waiting, last, lock, quarantined } = environment;
  return html`<section class="card" aria-labelledby="env-${name}">
    <header>
      <h2 id="env-${name}">${name}</h2>
      ${lock !== null && html`<span class="badge warn">locked</span>`} ${state(environment)}
    </header>
    ${liveRelease(live, view)} ${running !== null && inProgress(running, view)}
    ${waiting !== null && waitingFor(waiting, view)}
    ${last !== null && last.id !== live?.id && last.id !== running?.id && lastOutcome(last)}
    ${
      lock !== null &&
      html`<div class="note warn">
        <p><strong>Locked</strong> by ${lock.holder} since ${when(lock.since)}: ${lock.reason}</p>
      </div>`
    }
    ${quarantined.length > 0 && html`<p class="quarantine">Quarantined ${commits(quarantined, view)}</p>`}
  </section>`;
}

function state({ live, running }: EnvironmentStatus): Markup {
  if (running !== null) return badge(null);
  return live === null
    ? html`<span class="badge mute">not live</span>`
    : html`<span class="badge good">live</span>`;
}

function liveRelease(live: Deployment | null, view: View): Markup {
  if (live === null) return html`<p class="release quiet">Nothing is live.</p>`;
  const since = live.liveAt ?? live.requestedAt;
  return html`<p class="release">
      ${live.tag !== null && html`<strong>${live.tag}</strong>`} ${commitLink(live.commit, view)}
      <span class="branch">${live.branch}</span>
    </p>
    <p class="quiet">
      since ${when(since)} (${ago(since)}) by ${live.requestedBy} ·
      <a href="/deployments/${live.id}">deployment</a>
    </p>`;
}

function inProgress(running: Deployment, view: View): Markup {
  return html`<div class="in-progress">
    <p>
      <a href="/deployments/${running.id}">${verb(running)}</a> ${commitLink(running.commit, view)}
      <span class="branch">${running.branch}</span>
    </p>
    ${progress(running.stages)}
  </div>`;
}

function waitingFor(waiting: Deployment, view: View): Markup {
  return html`<p class="next">
    Waiting: <a href="/deployments/${waiting.id}">${waiting.kind}</a> of ${commitLink(waiting.commit, view)},
    asked for by ${waiting.requestedBy}
  </p>`;
}

function lastOutcome(last: Deployment): Markup {
  return html`<div class="note">
    <p>
      ${badge(last.outcome)}
      <a href="/deployments/${last.id}">${subject(last)}</a>, ${ago(last.finishedAt ?? last.requestedAt)}
    </p>
    ${last.cause !== null && html`<p class="cause">${last.cause}</p>`}
  </div>`;
}

function verb({ kind }: Deployment): string {
  return { deploy: 'Deploying', rollback: 'Rolling back to', restore: 'Restoring', rehearsal: 'Rehearsing' }[
    kind
  ];
}

function commits(list: string[], view: View): Markup[] {
  return list.map((commit) => commitLink(commit, view));
}

function history(deployments: DeploymentSummary[], view: View): Markup {
  return html`<div class="scroll" role="region" aria-label="Recent deployments" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">Outcome</th>
          <th scope="col">Environment</th>
          <th scope="col">Commit</th>
          <th scope="col">Kind</th>
          <th scope="col">Asked for</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        ${deployments.map((deployment) => row(deployment, view))}
      </tbody>
    </table>
  </div>`;
}

function row(deployment: DeploymentSummary, view: View): Markup {
  const { id, outcome, environment, commit, branch, tag, kind, cause, requestedAt, requestedBy } = deployment;
  return html`<tr>
    <td>
      <a class="outcome" href="/deployments/${id}">${badge(outcome)}</a>
      ${cause !== null && html`<span class="cause">${cause}</span>`}
    </td>
    <td>${environment}</td>
    <td>${commitLink(commit, view)} <span class="branch">${tag ?? branch}</span></td>
    <td>${kind}</td>
    <td>${when(requestedAt)}</td>
    <td>${requestedBy}</td>
  </tr>`;
}
