/** Something that must hold in every state of the data. `sql` gives one sentence, `fault`, for each row that breaks it. */
export interface Rule {
  name: string;
  expected: string;
  sql: string;
  hint: string;
}

/** SQL that SQLite and PostgreSQL understand alike. */
export const CONSISTENCY: Rule[] = [
  {
    name: 'the counter of ML numbers',
    expected: 'is the highest number that was given',
    sql: `select 'is ' || c.value || ', but the highest number is ' || coalesce(d.highest, 0) as fault
      from counters c cross join (select max(ml_number) as highest from documents) d
      where c.key = 'ml_number' and c.value <> coalesce(d.highest, 0)`,
    hint: 'a number was given without the counter, or an approval was only half undone',
  },
  {
    name: 'the ML numbers',
    expected: 'run from 1 without a gap',
    sql: `select 'go up to ' || max(ml_number) || ', but only ' || count(ml_number) || ' are given' as fault
      from documents having count(ml_number) <> coalesce(max(ml_number), 0)`,
    hint: 'a numbered document was removed, or a number was given twice and lost',
  },
  {
    name: 'the current revisions',
    expected: 'each exists and is the newest',
    sql: `select 'of ' || d.name || ' is said to be ' || d.current_rev || ', but the newest there is is '
        || coalesce(max(r.rev), 'none') as fault
      from documents d left join revisions r on r.doc_id = d.id
      group by d.id, d.name, d.current_rev having d.current_rev <> coalesce(max(r.rev), '') order by d.id`,
    hint: 'a revision was stored without its document, or the other way round',
  },
  {
    name: 'the files of revisions',
    expected: 'every revision has at least one',
    sql: `select 'lack one for ' || d.name || '-' || r.rev as fault
      from revisions r join documents d on d.id = r.doc_id
      where not exists (select 1 from revision_files f where f.revision_id = r.id) order by r.id`,
    hint: 'its text cannot be shown; submit it again',
  },
  {
    name: 'the authors',
    expected: 'every document has at least one',
    sql: `select 'lack one for ' || d.name as fault from documents d
      where not exists (select 1 from authors a where a.doc_id = d.id) order by d.id`,
    hint: 'an import or a migration lost them',
  },
  {
    name: 'the history',
    expected: 'every document has at least one event',
    sql: `select 'lacks any event of ' || d.name as fault from documents d
      where not exists (select 1 from events e where e.doc_id = d.id) order by d.id`,
    hint: 'events are written in the transaction of what they tell; something wrote past the application',
  },
  {
    name: 'the last calls',
    expected: 'are open only for documents in last call',
    sql: `select 'hold an open one for ' || d.name || ', which is ' || d.state as fault
      from last_calls l join documents d on d.id = l.doc_id
      where l.closed_at is null and d.state <> 'last-call' order by l.id`,
    hint: 'a state was changed without its last call',
  },
  {
    name: 'the comment threads',
    expected: 'every answer is one deeper than what it answers, under the same root',
    sql: `select 'are broken at comment ' || c.id || ': depth ' || c.depth || ' below depth ' || p.depth as fault
      from comments c join comments p on p.id = c.parent_id
      where c.depth <> p.depth + 1 or c.root_id <> coalesce(p.root_id, p.id) or c.doc_id <> p.doc_id order by c.id`,
    hint: 'the comment would be shown in the wrong place',
  },
  {
    name: 'deleted comments',
    expected: 'say who deleted them',
    sql: `select 'do not say who deleted comment ' || id as fault from comments
      where (deleted_at is null) <> (deleted_by is null) order by id`,
    hint: 'a deletion was only half written',
  },
  {
    name: 'the audit log',
    expected: 'tells of every document',
    sql: `select 'does not tell of ' || d.name as fault from documents d
      where not exists (select 1 from audit_log a
        where a.table_name = 'documents' and a.row_id = cast(d.id as text)) order by d.id`,
    hint: 'the triggers of documents were missing when it was written',
  },
];
