const HIDDEN = '[hidden]';

/**
 * What looks like a secret, whoever wrote it: tokens by the prefixes that their makers gave them, keys, passwords in
 * addresses and in what names itself a password. Rather too much than too little: it is for logs that strangers read.
 */
const SECRETS: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  [/\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_[A-Za-z0-9]{30,})/g, HIDDEN],
  [/\b(xox[abprs]-[\w-]{10,}|sk-[\w-]{20,}|AKIA[0-9A-Z]{16}|AIza[\w-]{35})/g, HIDDEN],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, HIDDEN],
  [/(:\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${HIDDEN}@`],
  [/\b(bearer|basic)\s+[\w+/.~=-]{8,}/gi, `$1 ${HIDDEN}`],
  [
    /\b([\w-]*(?:password|passwd|secret|token|api[_-]?key|private[_-]?key|credential)s?["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&]+)/gi,
    `$1${HIDDEN}`,
  ],
];

/** The text without what looks like a secret. */
function withoutLookalikes(text: string): string {
  return SECRETS.reduce((clean, [secret, instead]) => clean.replace(secret, instead), text);
}

/** Shorter ones are words that stand in any text. */
const TELLING = 6;

/** The one place through which passes what is kept or told: causes, suites, logs and reports. */
export interface Redaction {
  /** These values are secret from now on. */
  know: (values: Iterable<string>) => void;
  /** The text without the secrets that are known: JSON stays JSON, for whoever still has to read it. */
  hide: Redact;
  /** The same without what looks like a secret, too. */
  redact: Redact;
}

export type Redact = (text: string) => string;

export function createRedaction(values: Iterable<string> = []): Redaction {
  const known = new Set<string>();
  let pattern: RegExp | null = null;
  const know = (more: Iterable<string>) => {
    const before = known.size;
    for (const value of more) for (const form of formsOf(value)) known.add(form);
    if (known.size > before) pattern = anyOf(known);
  };
  know(values);
  const hide: Redact = (text) => (pattern ? text.replace(pattern, HIDDEN) : text);
  return { know, hide, redact: (text) => withoutLookalikes(hide(text)) };
}

/**
 * How a value stands in what a program says: as it is, or a line of it at a time; in JSON, in JSON that is a string of JSON
 * again, and in what Node's console shows of an object; in an address.
 */
function formsOf(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return [value, ...lines]
    .filter((part) => part.length >= TELLING)
    .flatMap((part) => [
      part,
      inJson(part),
      inJson(inJson(part)),
      part.replaceAll('\\', '\\\\'),
      encodeURIComponent(part.toWellFormed()),
    ]);
}

const inJson = (text: string) => JSON.stringify(text).slice(1, -1);

/** The longest first: one may be the beginning of another. */
function anyOf(texts: Iterable<string>): RegExp {
  const longestFirst = [...texts].toSorted((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}

/** The same with each text in it redacted. */
export function redactAll<T>(value: T, redact: Redact): T {
  return mapTexts(value, redact) as T;
}

function mapTexts(value: unknown, change: Redact): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTexts(item, change)]));
}

/** What the checks say; the suite's name stays, by which it was asked for. */
export const redactedChecks = <T extends { checks: unknown }>(suite: T, redact: Redact): T => ({
  ...suite,
  checks: redactAll(suite.checks, redact),
});
