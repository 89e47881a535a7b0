import MarkdownIt from 'markdown-it';
import { raw, type Html } from './html.ts';

/** No raw HTML, no images (they would tell their host who reads), and links that go where they say. */
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: true }).disable('image');

const SAFE_LINK = /^(https?:\/\/|mailto:|#|\/(?![/\\]))/i;
markdown.validateLink = (address) => SAFE_LINK.test(address.trim());
markdown.renderer.rules.link_open = (tokens, index, options, _env, self) => {
  tokens[index]?.attrSet('rel', 'nofollow ugc noopener');
  return self.renderToken(tokens, index, options);
};

/** Text that a person wrote, as markup. Its headings begin at `first` (a page has one h1) and skip no level. */
export function renderMarkdown(text: string, first = 2): Html {
  const tokens = markdown.parse(text, {});
  let level = first - 1;
  for (const token of tokens) {
    if (token.type === 'heading_open') level = Math.min(level + 1, first - 1 + Number(token.tag.slice(1)), 6);
    if (token.type === 'heading_open' || token.type === 'heading_close') token.tag = `h${level}`;
  }
  return raw(markdown.renderer.render(tokens, markdown.options, {}));
}
