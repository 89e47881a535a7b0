/** A believable text about a title: long enough to read like a draft, the same each time. */
export function sampleText(title: string, abstract: string, revision: number): string {
  const subject = title.replace(/^(A|An|The) /, '').split(/:| for | of | on | by | between /)[0] ?? title;
  const sections = [
    ['Introduction', introduction(subject, abstract)],
    ['Terminology', TERMINOLOGY],
    ['Requirements', requirements(subject)],
    ['Protocol', protocol(subject)],
    ...(revision > 0 ? [['Open Questions', QUESTIONS]] : []),
    ['Privacy Considerations', PRIVACY],
    ['Security Considerations', SECURITY],
    ['Changes', changes(revision)],
  ];
  const body = sections
    .map(([heading, text], index) => `## ${index + 1}. ${heading}\n\n${text}\n`)
    .join('\n');
  return body;
}

function introduction(subject: string, abstract: string): string {
  return `${abstract}

The web has no place of its own for what its readers do together. Layers above it do, and each of them answers the same questions differently. **${subject}** is one of these questions. Where the answers differ, people lose what they made when they move from one layer to another; where they agree, a small tool can do what today needs a platform.

This document does not prescribe a user interface. It says what is stored, what is sent, and what has to be true afterwards.`;
}

const TERMINOLOGY = `The key words *must*, *should* and *may* are to be read as in RFC 2119.

| Term | Meaning |
| --- | --- |
| layer | software that shows something above a page, for its reader |
| participant | a person or an agent, known to a layer by a handle |
| record | a signed statement of a participant, with a time in UTC |
| anchor | the part of a page that a record speaks about |`;

function requirements(subject: string): string {
  return `1. A layer *must* work when the page below it knows nothing about it.
2. A layer *must not* send the address of a page to anybody before the participant agreed.
3. Every record *must* name its participant, its anchor and its time.
4. An implementation of ${subject.toLowerCase()} *should* keep records that it does not understand, and pass them on unchanged.
5. What was withdrawn *must* stop being shown within a day.`;
}

function protocol(subject: string): string {
  return `A record is a JSON object. A layer that receives one checks its signature first and looks at its content afterwards.

\`\`\`json
{
  "type": "${subject.toLowerCase().split(' ').slice(0, 2).join('-')}",
  "participant": "@reader@layer.example",
  "anchor": { "page": "https://example.org/article", "quote": "the exact words" },
  "at": "2026-05-04T12:00:00Z"
}
\`\`\`

A layer answers with one of three outcomes:

- *accepted*: the record is stored and will be shown;
- *held*: a moderator looks at it first, and the participant is told so;
- *refused*: it is not stored, and the reason is a sentence that a person understands.

> An answer that never comes is the worst of the three. Layers that cannot decide in time say *held*.`;
}

const QUESTIONS = `- Should a record be able to speak about several anchors at once?
- How long is a *held* record kept when nobody looks at it?
- Do we need a registry, or is a list in the next revision enough?`;

const PRIVACY = `Who reads what is sensitive, even without names. Layers look up records by a truncated hash of the address, so that the server learns a set of pages and not the page. Logs of such requests are kept for a week at most.`;

const SECURITY = `Records come from strangers. Layers treat every part of them as text, never as markup or code, and bound its length before they parse it. A signature says who made a record; it does not say that the record is true.

Replay of an old record is prevented by its time and its anchor: a layer keeps the newest record of a participant about an anchor and drops older ones.`;

function changes(revision: number): string {
  if (revision === 0) return 'This is the first revision.';
  const list = Array.from(
    { length: revision },
    (_, index) => `- Revision 0${index + 1}: ${CHANGES[index % CHANGES.length]}`,
  );
  return list.toReversed().join('\n');
}

const CHANGES = [
  'shorter terminology; the record names its time zone.',
  'requirements numbered; a third outcome, *held*, after discussion.',
  'privacy section rewritten; lookups by truncated hash.',
  'editorial changes from last call.',
  'examples corrected; references updated.',
];
