import { z } from 'zod';

/** Control characters, and those that reorder or hide the text around them. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;

/** One line that a person typed: trimmed, NFC, nothing invisible in it. */
export function line(max: number, min = 1): z.ZodType<string> {
  return z
    .string('is required')
    .transform((text) => text.trim().normalize('NFC'))
    .refine((text) => text.length >= min, 'is required')
    .refine((text) => text.length <= max, `is at most ${max} characters`)
    .refine((text) => !INVISIBLE.test(text), 'holds characters that cannot be seen');
}

/** Several lines: as `line`, with line ends as \n. */
export function paragraphs(max: number, min = 1): z.ZodType<string> {
  return z
    .string('is required')
    .transform((text) => text.replaceAll('\r\n', '\n').trim().normalize('NFC'))
    .refine((text) => text.length >= min, 'is required')
    .refine((text) => text.length <= max, `is at most ${max} characters`)
    .refine(
      (text) => !INVISIBLE.test(text.replaceAll(/[\n\t]/g, '')),
      'holds characters that cannot be seen',
    );
}

/** A name of a person. Letters that look alike in two scripts would let one pass for another. */
export const personName = line(100).refine(
  (text) => !(/\p{Script=Latin}/u.test(text) && /\p{Script=Cyrillic}|\p{Script=Greek}/u.test(text)),
  'mixes alphabets that look alike',
);

export const emailAddress = line(254)
  .transform((text) => text.toLowerCase())
  .pipe(z.email('is not an e-mail address'));

/** A row's id in an address or a form. */
export const rowId = z.coerce
  .number()
  .int()
  .positive()
  .max(2 ** 31 - 1);

/** The first message for each field, to be shown beside it. */
export type FieldErrors = Record<string, string>;

export function fieldErrors(error: z.ZodError): FieldErrors {
  const errors: FieldErrors = {};
  for (const issue of error.issues) errors[String(issue.path[0])] ??= issue.message;
  return errors;
}
