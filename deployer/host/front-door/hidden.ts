/** What an instance answers to the deployer on its own socket, and to nobody else. */
export const HIDDEN = ['/_deploy/mode', '/_deploy/routes'];
const HOST = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/** Whether a request target reaches a hidden endpoint, in any spelling that some server would accept for it. */
export function isHidden(target: string): boolean {
  const segments = decode(pathOf(target))
    .toLowerCase()
    .split(/[/\\]/)
    // A matrix parameter, white space and control characters at the end are ignored by some servers.
    .map((segment) => segment.replace(/;.*$/s, '').replace(/[\u0000-\u0020\u007f]/g, ''))
    .filter((segment) => segment !== '');
  return (
    leadsToHidden(segments.filter((segment) => segment !== '.' && segment !== '..')) ||
    leadsToHidden(resolve(segments))
  );
}

/** The path and query for an instance: what is left of an absolute-form target (RFC 9112, 3.2.2). */
export function originForm(target: string): string {
  const rest = target.replace(HOST, '');
  if (rest === target) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function pathOf(target: string): string {
  return originForm(target).replace(/[?#].*$/s, '');
}

/** Also what was encoded more than once. */
function decode(path: string): string {
  for (let text = path; ;) {
    const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(parseInt(code, 16)),
    );
    if (decoded === text) return text;
    text = decoded;
  }
}

function resolve(segments: string[]): string[] {
  const path: string[] = [];
  for (const segment of segments) {
    if (segment === '..') path.pop();
    else if (segment !== '.') path.push(segment);
  }
  return path;
}

function leadsToHidden(segments: string[]): boolean {
  const path = `/${segments.join('/')}/`;
  return HIDDEN.some((hidden) => path.startsWith(`${hidden}/`));
}
