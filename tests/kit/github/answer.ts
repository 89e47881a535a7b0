/** What GitHub answers, in its documented shapes. */

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Thrown anywhere in an endpoint: the answer is this error. */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(
    status: number,
    message: string,
    more: { errors?: unknown[]; headers?: Record<string, string> } = {},
  ) {
    super(`${status} ${message}`);
    this.answer = {
      status,
      ...(more.headers && { headers: more.headers }),
      body: {
        message,
        ...(more.errors && { errors: more.errors }),
        documentation_url: 'https://docs.github.com/rest',
        status: String(status),
      },
    };
  }
}

export const notFound = () => new Refusal(404, 'Not Found');
export const badCredentials = () => new Refusal(401, 'Bad credentials');

/** 422 with one error of the documented codes: missing, missing_field, invalid, already_exists, custom. */
export function invalid(resource: string, field: string, code: string, message?: string): Refusal {
  return new Refusal(422, 'Validation Failed', {
    errors: [{ resource, field, code, ...(message && { message }) }],
  });
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });

/** `per_page` and `page` (docs.github.com, "Using pagination in the REST API"), the pages linked by `Link`. */
export function paged(
  items: readonly unknown[],
  url: URL,
  wrap: (page: unknown[]) => unknown = (page) => page,
): Answer {
  const size = Math.min(Number(url.searchParams.get('per_page') ?? 30) || 30, 100);
  const page = Number(url.searchParams.get('page') ?? 1) || 1;
  const last = Math.max(1, Math.ceil(items.length / size));
  const at = (number: number, rel: string) => {
    const target = new URL(url);
    target.searchParams.set('page', String(number));
    return `<${target.href}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [at(page - 1, 'prev')] : []),
    ...(page < last ? [at(page + 1, 'next'), at(last, 'last')] : []),
    ...(page > 1 ? [at(1, 'first')] : []),
  ];
  return {
    status: 200,
    body: wrap(items.slice((page - 1) * size, page * size)),
    ...(links.length > 0 && { headers: { link: links.join(', ') } }),
  };
}
