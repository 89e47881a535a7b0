/**
 * The time by which things grow old and are removed: what this process has counted since its start, or the clock where
 * that is behind. So a clock that is set ahead makes nothing old at once.
 */
export const countedClock = (): Date =>
  new Date(Math.min(Date.now(), performance.timeOrigin + performance.now()));
