import { createServer } from 'node:net';
import { FailedError, oneLine } from '../problem.ts';

/** `host:port` in parts, the brackets of an IPv6 host removed; throws a `FailedError` for anything else. */
export function parseListen(listen: string): { host: string; port: number } {
  const [, bracketed, plain, digits = ''] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(listen) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new FailedError(
      `${JSON.stringify(listen)} is no address to listen on: expected host:port, such as 127.0.0.1:8000`,
    );
  }
  return { host, port };
}

/** Throws a `FailedError` that says why one cannot listen there. */
export async function assertFree(listen: string): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...parseListen(listen), exclusive: true }, resolve);
    });
  } catch (error) {
    throw error instanceof FailedError ? error : new FailedError(whyNot(listen, error));
  }
  await new Promise((resolve) => server.close(resolve));
}

function whyNot(listen: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `${listen} is in use by another program`;
  if (code === 'EACCES') return `${listen} needs privileges: use a port from 1024 on`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${listen} is not an address of this machine`;
  return `cannot listen on ${listen}: ${oneLine(error)}`;
}
