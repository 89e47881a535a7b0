/** The server's time; a parameter everywhere, so that a test can hold it still. */
export type Clock = () => Date;

/** A point in time as the database stores it: ISO 8601 in UTC with milliseconds. */
export function timestamp(date: Date): string {
  return date.toISOString();
}

export function minutesBefore(date: Date, minutes: number): Date {
  return new Date(date.getTime() - minutes * 60_000);
}
