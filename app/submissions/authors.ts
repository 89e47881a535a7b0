import { z } from 'zod';
import { emailAddress, personName } from '../http/text.ts';

const submittedAuthors = z
  .array(z.object({ name: personName, email: emailAddress }))
  .min(1)
  .max(30);

export type SubmittedAuthor = z.infer<typeof submittedAuthors>[number];

/** One `Name <address>` a line. A string says what is wrong, and in which line. */
export function parseAuthors(text: string): SubmittedAuthor[] | string {
  const lines = text.split('\n').map((line) => line.trim());
  const authors: SubmittedAuthor[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const [, name, email] = /^([^<>]+)<([^<>]+)>$/.exec(line) ?? [];
    const author = submittedAuthors.element.safeParse({ name, email });
    if (!author.success) return `holds no "Name <address>" in line ${index + 1}`;
    authors.push(author.data);
  }
  if (authors.length === 0) return 'is required';
  return authors.length > 30 ? 'holds more than 30 people' : authors;
}

/** As they are stored with a submission. */
export function storedAuthors(json: string): SubmittedAuthor[] {
  return submittedAuthors.parse(JSON.parse(json));
}
