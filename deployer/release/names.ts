/** Which names from outside may reach git at all. Pure, so that nothing is started to find out. */

/** A full object id, SHA-1 or SHA-256. */
export function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** As `git check-ref-format --branch`: no branch begins with a dash or is called HEAD. */
export function isBranchName(name: string): boolean {
  return isRefPath(name) && !name.startsWith('-') && name !== 'HEAD';
}

/** As `git tag` takes it. */
export function isTagName(name: string): boolean {
  return isRefPath(name) && !name.startsWith('-');
}

/** The rules of git-check-ref-format(1) for what follows `refs/heads/`. */
function isRefPath(name: string): boolean {
  if (name === '' || /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\.$/.test(name)) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

/** What git may speak to reach a remote: the one protocol of its URL. */
export function protocolOf(url: string): 'file' | 'https' | 'http' | null {
  if (url.startsWith('/')) return 'file';
  const match = /^(https?):\/\/[^-\s]\S*$/.exec(url);
  return match?.[1] === 'https' ? 'https' : match?.[1] === 'http' ? 'http' : null;
}

/** A path inside a tree as git writes it: relative, `/` between names, no `.` or `..`. */
export function isTreePath(path: string): boolean {
  return (
    !/[\0\n]/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}
