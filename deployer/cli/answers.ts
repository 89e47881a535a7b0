import type { z } from 'zod';

type Answers = typeof import('../web/schemas.ts');

/** Picks the shape that an answer of the API has to have. */
export type Expected<T> = (answers: Answers) => z.ZodType<T>;

/** The shapes of all answers. They take as long to load as the rest of the command line: ask the deployer first. */
export const loadAnswers = (): Promise<Answers> => import('../web/schemas.ts');
