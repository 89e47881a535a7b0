/** An answer that is not the page that was asked for. The message is shown to the visitor. */
export class Problem extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export function notFound(what = 'This page'): Problem {
  return new Problem(404, `${what} does not exist, or has moved.`);
}

export function forbidden(message: string): Problem {
  return new Problem(403, message);
}

export function conflict(message: string): Problem {
  return new Problem(409, message);
}

export function badRequest(message: string): Problem {
  return new Problem(400, message);
}
