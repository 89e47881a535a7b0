/** The suite in which a rehearsal tells what it found out about the migrations. */
export const REHEARSAL_SUITE = 'rehearsal';

/** The suite in which it tells what the promotion gate would say. */
export const PROMOTION_SUITE = 'promotion';

/** The check that foretells how long writes wait. */
export const HOLD = 'the hold on writes';
