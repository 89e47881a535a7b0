/** What the front door has seen since its start. */
export class Traffic {
  requests = 0;
  /** Answers of instances with status 500 or more, and instances that ended without an answer. */
  errors = 0;
  /** Writes that an instance was dialled for directly, until that connection has ended. */
  writes = 0;

  /** Counts a write as in flight until the answer is called. */
  begin(): () => void {
    this.writes += 1;
    return () => void (this.writes -= 1);
  }
}
