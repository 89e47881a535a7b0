/** The states of a document, in the order of its life. The database's CHECK and transition table say what may follow what. */
export const STATES = ['active', 'last-call', 'approved', 'published', 'expired', 'withdrawn'] as const;

export type State = (typeof STATES)[number];

const LABELS: Record<State, string> = {
  active: 'Active draft',
  'last-call': 'In last call',
  approved: 'Approved',
  published: 'Published',
  expired: 'Expired',
  withdrawn: 'Withdrawn',
};

export function stateLabel(state: State): string {
  return LABELS[state];
}

/** ML-001 … ML-999, ML-1000 …: three digits at least, however many it takes. */
export function formatNumber(number: number): string {
  return `ML-${String(number).padStart(3, '0')}`;
}

/** Null: not such a number. Any padding is understood, so that an old link still arrives. */
export function parseNumber(text: string): number | null {
  const match = /^ml-?0*([1-9]\d{0,8})$/i.exec(text.trim());
  return match === null ? null : Number(match[1]);
}
