import { z } from 'zod';

/** Lists that are asked for again and again, such as the open pull requests: few pages. */
const MOST_KEPT = 50;

interface Answer {
  status: number;
  headers: { etag?: string | undefined };
  data: unknown;
}

const notModified = z.object({ status: z.literal(304) });

/**
 * Conditional requests: what has not changed since is not sent again, and does not count against GitHub's limit.
 * https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
 */
export function createKeep<T extends Answer>() {
  const kept = new Map<string, { etag: string; answer: T }>();

  /** @param ask sends the request with these headers, and throws on 304 */
  return async function keep(url: string, ask: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    const known = kept.get(url);
    try {
      const answer = await ask(known ? { 'if-none-match': known.etag } : {});
      kept.delete(url);
      const { etag } = answer.headers;
      if (etag) kept.set(url, { etag, answer });
      const [oldest] = kept.keys();
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
      return answer;
    } catch (error) {
      if (known && notModified.safeParse(error).success) return known.answer;
      throw error;
    }
  };
}
