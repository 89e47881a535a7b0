import { html, raw } from 'hono/html';

/** Markup in which every interpolated value was escaped. */
export type Html = ReturnType<typeof html>;

export { html, raw };

export const nothing = html``;
