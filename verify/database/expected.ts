/** The tables that the application needs, whatever migrations there are, and the keys that protect each. */
export interface ExpectedTable {
  unique?: string[];
  foreign?: string[];
  /** Columns that a CHECK constrains. */
  checks?: string[];
}

export const EXPECTED: Record<string, ExpectedTable> = {
  users: { unique: ['email'] },
  roles: { foreign: ['user_id>users'], checks: ['role'] },
  sessions: { unique: ['id'], foreign: ['user_id>users'] },
  api_keys: { unique: ['prefix'], foreign: ['user_id>users'] },
  groups: { unique: ['acronym'] },
  documents: {
    unique: ['name', 'ml_number'],
    foreign: ['group_id>groups'],
    checks: ['state', 'ml_number > 0'],
  },
  revisions: { unique: ['doc_id,rev'], foreign: ['doc_id>documents'] },
  revision_files: { unique: ['revision_id,format'], foreign: ['revision_id>revisions'] },
  authors: { foreign: ['doc_id>documents'] },
  submissions: { unique: ['name,rev'], checks: ['state'] },
  submission_checks: { foreign: ['submission_id>submissions'] },
  counters: { unique: ['key'] },
  state_transitions: { unique: ['subject,from_state,to_state,role'] },
  events: { foreign: ['doc_id>documents'] },
  last_calls: { foreign: ['doc_id>documents'] },
  ballots: { foreign: ['doc_id>documents'] },
  ballot_positions: { unique: ['ballot_id,user_id'], foreign: ['ballot_id>ballots'], checks: ['position'] },
  comments: { foreign: ['parent_id,doc_id>comments', 'doc_id>documents'] },
  comment_versions: { foreign: ['comment_id>comments'] },
  follows: { unique: ['user_id,doc_id'], checks: ['level'] },
  outbox: { unique: ['event_id,user_id'], foreign: ['event_id>events'] },
  rate_counters: {},
  cache_versions: {},
  transfer_batches: {},
  audit_log: { checks: ['action'] },
  settings: { unique: ['key'] },
};
