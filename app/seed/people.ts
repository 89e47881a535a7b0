import type { Role } from '../accounts/users.ts';

export interface SampleGroup {
  acronym: string;
  name: string;
  charter: string;
}

export const GROUPS: SampleGroup[] = [
  {
    acronym: 'presence',
    name: 'Presence and Identity',
    charter:
      'How people show that they are here, on a page, with others, and under which name. The group specifies portable handles, presence signals and the consent that goes before them.',
  },
  {
    acronym: 'annotate',
    name: 'Annotation and Anchoring',
    charter:
      'Notes that stay attached to what they speak about, though the page below them changes. The group works on selectors, anchors that survive edits, and the exchange of annotations between layers.',
  },
  {
    acronym: 'trust',
    name: 'Trust, Safety and Provenance',
    charter:
      'Claims about content, who makes them, and how a reader can weigh them. The group covers signed claims, moderation that can be appealed, and protection from abuse.',
  },
  {
    acronym: 'bridge',
    name: 'Bridges and Interoperability',
    charter:
      'Links between pages, made by neither of them. The group defines bridge records, their discovery, and how independent layers agree on what is linked with what.',
  },
  {
    acronym: 'gov',
    name: 'Process and Governance',
    charter:
      'How the task force itself works: numbering, last calls, appeals, conflicts of interest, and the record of all of it.',
  },
];

export interface SamplePerson {
  name: string;
  affiliation: string;
  biography: string;
  roles: [role: Role, group?: string][];
}

export const PEOPLE: SamplePerson[] = [
  {
    name: 'Amara Okafor',
    affiliation: 'Lagos Institute for Open Protocols',
    biography: 'Keeps the record of the task force and publishes what was approved.',
    roles: [['administrator'], ['approver'], ['member', 'gov']],
  },
  {
    name: 'Henrik Sandvik',
    affiliation: 'Nordic Web Archive',
    biography: 'Has read more drafts than anybody should. Approver since the first meeting.',
    roles: [['approver'], ['chair', 'gov']],
  },
  {
    name: 'Mei-Ling Tan',
    affiliation: 'Harbour Commons',
    biography: 'Works on presence that asks first.',
    roles: [['chair', 'presence']],
  },
  {
    name: 'Tomás Rivera',
    affiliation: 'Universidad de Valparaíso',
    biography: 'Writes annotation software, and the tests that break it.',
    roles: [['chair', 'annotate']],
  },
  {
    name: 'Ingrid Bauer',
    affiliation: 'Provenance Lab Graz',
    biography: 'Signed claims, revocation, and what readers make of either.',
    roles: [['chair', 'trust']],
  },
  {
    name: 'Samuel Adeyemi',
    affiliation: 'Bridgeworks Cooperative',
    biography: 'Connects things that did not ask to be connected, politely.',
    roles: [
      ['chair', 'bridge'],
      ['member', 'trust'],
    ],
  },
  {
    name: 'Yuki Nakamura',
    affiliation: 'Kyoto Interaction Studio',
    biography: 'Interaction design for layers that know when to be quiet.',
    roles: [
      ['member', 'presence'],
      ['member', 'annotate'],
    ],
  },
  {
    name: 'Leila Haddad',
    affiliation: 'Civic Layer Foundation',
    biography: 'Moderation, appeals, and due process at the scale of a village.',
    roles: [
      ['member', 'trust'],
      ['member', 'gov'],
    ],
  },
  {
    name: 'Oleksandr Kovalenko',
    affiliation: 'Independent',
    biography: 'Implements drafts before they are finished and reports what hurt.',
    roles: [
      ['member', 'bridge'],
      ['member', 'annotate'],
    ],
  },
  {
    name: 'Chloé Fontaine',
    affiliation: 'Réseau Lecture Publique',
    biography: 'A librarian. Asks who will still be able to read this in thirty years.',
    roles: [['member', 'gov']],
  },
];

/** `Mei-Ling Tan` is `mei-ling.tan@example.org`: an address that can never be anybody's. */
export function emailOf(name: string): string {
  const plain = name.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return `${plain.replaceAll(' ', '.')}@example.org`;
}
