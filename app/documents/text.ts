import type { FileStore } from './files.ts';
import type { Format, Revision } from './document.ts';
import { html, type Html } from '../pages/html.ts';

/** The text of a document as a page shows it. Only Markdown is rendered; everything else is shown as it was sent. */
export async function renderText(format: Format, bytes: Buffer): Promise<Html> {
  if (format === 'pdf')
    return html`<p class="empty-state">This revision is a PDF. It can be downloaded above.</p>`;
  const text = bytes.toString('utf8');
  if (format !== 'md') return html`<pre class="plain" tabindex="0" aria-label="Text">${text}</pre>`;
  const { renderMarkdown } = await import('../pages/markdown.ts');
  return html`<div class="prose">${renderMarkdown(withoutFrontMatter(text))}</div>`;
}

export async function readRevision(files: FileStore, revision: Revision): Promise<Html> {
  return renderText(revision.format, await files.get(revision.storage_key));
}

function withoutFrontMatter(text: string): string {
  return text.replace(/^---\n[\s\S]*?\n---\n/, '');
}
