import { html, type Html } from './html.ts';

const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });
const MINUTE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

export function date(timestamp: string): Html {
  return html`<time datetime="${timestamp}">${DAY.format(new Date(timestamp))}</time>`;
}

export function dateAndTime(timestamp: string): Html {
  return html`<time datetime="${timestamp}">${MINUTE.format(new Date(timestamp))} UTC</time>`;
}
