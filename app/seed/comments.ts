/** A thread: who says it (place in `PEOPLE`), what, and the answers to it. */
export interface SampleComment {
  by: number;
  text: string;
  answers?: SampleComment[];
}

export const THREADS: SampleComment[] = [
  {
    by: 8,
    text: 'I implemented this revision over the weekend. Section 4 worked at once; what took a day was deciding **when** a record counts as withdrawn. Could the text say whose clock decides?',
    answers: [
      {
        by: 3,
        text: "The server's, always. I will add a sentence.",
        answers: [{ by: 8, text: 'Thank you, that settles it for me.' }],
      },
      {
        by: 9,
        text: 'And please say it in UTC. In thirty years nobody will remember when summer time began.',
      },
    ],
  },
  {
    by: 7,
    text: 'Requirement 5 gives a day for withdrawals. For abuse that is too long:\n\n1. harm happens within the first hour;\n2. people will then block the whole layer instead.\n\nI suggest one hour for records that were reported.',
    answers: [
      {
        by: 4,
        text: 'One hour needs somebody awake. Could a *held* state bridge the night?',
        answers: [
          {
            by: 7,
            text: 'Yes, hiding first and deciding later is acceptable if the author is told.',
            answers: [{ by: 1, text: 'Noted for the next revision. Leila, would you send text?' }],
          },
        ],
      },
    ],
  },
  {
    by: 6,
    text: 'The table in section 2 reads well on a phone now. One thing remains: "participant" is used for people and for agents, and readers will care about the difference.',
  },
  {
    by: 5,
    text: 'For comparison, this is what the bridge model does:\n\n```json\n{ "from": "anchor-1", "to": "anchor-2", "kind": "contradicts" }\n```\n\nThe two should use the same anchor.',
    answers: [{ by: 3, text: 'Agreed; I would take yours, it is older and shorter.' }],
  },
  { by: 0, text: 'A reminder that comments here are part of the permanent record. Kind ones age best.' },
  {
    by: 2,
    text: 'I support adopting this. We run something close to it with about four hundred people, and nobody has complained since we ask for consent first.',
  },
];
