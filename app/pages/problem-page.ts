import type { Problem } from '../http/problem.ts';
import type { Page } from '../http/reply.ts';
import { html } from './html.ts';

const HEADINGS: Record<number, string> = {
  400: 'We could not read that request',
  403: 'That is not open to you',
  404: 'Nothing lives at this address',
  409: 'That cannot be done any more',
  413: 'That is too large',
  429: 'A little slower, please',
  500: 'Something broke on our side',
  503: 'Back in a moment',
};

export function problemPage(problem: Problem, requestId: string): Page {
  const heading = HEADINGS[problem.status] ?? 'That did not work';
  return {
    title: heading,
    body: html`<div class="empty-state my-5">
      <p class="display-code" aria-hidden="true">${problem.status}</p>
      <h1>${heading}</h1>
      <p class="lead">${problem.message}</p>
      <p>
        <a class="btn btn-primary" href="/">Start page</a>
        <a class="btn btn-outline-secondary" href="/doc/all/">All documents</a>
      </p>
      <p class="small text-body-secondary">Request <code>${requestId}</code></p>
    </div>`,
  };
}
