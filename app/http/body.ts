import express, { type Request, type Response } from 'express';
import { z } from 'zod';
import { Problem, badRequest } from './problem.ts';

interface Upload {
  name: string;
  bytes: Buffer;
}

export interface Form {
  fields: URLSearchParams;
  file: Upload | null;
}

export const EMPTY_FORM: Form = { fields: new URLSearchParams(), file: null };

const URLENCODED = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data';

// compressed bodies are refused: nobody sends forms so, and they hide their size
const readText = express.text({ type: [URLENCODED, 'application/json'], limit: '256kb', inflate: false });
const readUpload = express.raw({ type: MULTIPART, limit: '4mb', inflate: false });

/** The body as fields, and a file where the route takes one. @throws {Problem} 400, 413 or 415 */
export async function readForm(request: Request, response: Response, upload: boolean): Promise<Form> {
  if (upload && request.is(MULTIPART)) return parseMultipart(request, response);
  if (!request.is(URLENCODED)) {
    if (!request.headers['transfer-encoding'] && (request.headers['content-length'] ?? '0') === '0')
      return EMPTY_FORM;
    throw new Problem(415, `This form takes ${upload ? MULTIPART : URLENCODED}.`);
  }
  await run(readText, request, response);
  return { fields: withoutNul(new URLSearchParams(String(request.body ?? ''))), file: null };
}

/** A JSON body; undefined when there is none or it does not parse. */
export async function readJson(request: Request, response: Response): Promise<unknown> {
  await run(readText, request, response);
  try {
    return JSON.parse(String(request.body));
  } catch {
    return undefined;
  }
}

async function parseMultipart(request: Request, response: Response): Promise<Form> {
  await run(readUpload, request, response);
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  const body = z.instanceof(Buffer<ArrayBuffer>).parse(request.body);
  let data: FormData;
  try {
    data = await new globalThis.Response(body, { headers }).formData();
  } catch {
    throw badRequest('The form did not arrive whole. Please send it again.');
  }
  const fields = new URLSearchParams();
  let file: Upload | null = null;
  for (const [name, value] of data) {
    if (typeof value === 'string') fields.append(name, value);
    else if (value.size > 0) file = { name: value.name, bytes: Buffer.from(await value.arrayBuffer()) };
  }
  return { fields: withoutNul(fields), file };
}

function withoutNul(fields: URLSearchParams): URLSearchParams {
  for (const [name, value] of fields) {
    if (name.includes('\0') || value.includes('\0')) throw badRequest('A form field holds a NUL character.');
  }
  return fields;
}

type Middleware = (request: Request, response: Response, next: (error?: unknown) => void) => void;

function run(middleware: Middleware, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    middleware(request, response, (error) => {
      if (error === undefined) resolve();
      else reject(asProblem(error));
    });
  });
}

const httpError = z.object({ status: z.number() });

function asProblem(error: unknown): unknown {
  const status = httpError.safeParse(error).data?.status;
  if (status === 413) return new Problem(413, 'That is too large to be sent here.');
  if (status !== undefined && status < 500) return new Problem(status, 'The request could not be read.');
  return error;
}
