import { TEXT } from './headers.ts';
import type { RawAnswer } from './raw-request.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The longest error text, in bytes: the go command shows no more. */
const LONGEST_ERROR_BYTES = 599;

/** What is wrong with an answer whatever was asked, one sentence each. */
export function findProblems(answer: RawAnswer, method = 'GET'): readonly string[] {
  // A 416 is explained by its Content-Range; a go command never asks for a range.
  const isError = answer.status >= 400 && answer.status !== 416;
  return [...headerProblems(answer), ...(isError ? errorProblems(answer, method) : [])];
}

function headerProblems({ headers }: RawAnswer): readonly string[] {
  const problems: string[] = [];
  // Without a Cache-Control a platform cache in front of the Worker would choose one of its own.
  if (!headers['cache-control']) problems.push('there is no Cache-Control');
  const forCdn = headers['cloudflare-cdn-cache-control'];
  if (forCdn !== undefined && headers['cache-control'] === 'no-store')
    problems.push(`no cache may keep it, and Cloudflare-CDN-Cache-Control is ${quoted(forCdn)}`);
  if (Number(/max-age=(\d+)/.exec(forCdn ?? '')?.[1] ?? 0) > 300)
    problems.push(`the platform may keep it beyond five minutes: ${quoted(forCdn)}`);
  if (!/^modferry(;|$)/.test(headers['cache-status'] ?? ''))
    problems.push(`Cache-Status is ${quoted(headers['cache-status'])}`);
  if (!UUID.test(headers['x-request-id'] ?? ''))
    problems.push(`X-Request-Id is ${quoted(headers['x-request-id'])}, not a UUID`);
  if (headers['x-content-type-options'] !== 'nosniff')
    problems.push(`X-Content-Type-Options is ${quoted(headers['x-content-type-options'])}`);
  if (headers['location'] !== undefined)
    problems.push(`there is a Location, ${quoted(headers['location'])}`);
  return problems;
}

/** The shape N, which a go command shows to its user whole (rows 37 to 59 and row 67). */
function errorProblems({ headers, body }: RawAnswer, method: string): readonly string[] {
  const problems: string[] = [];
  if (headers['content-type'] !== TEXT)
    problems.push(`the Content-Type of an error is ${quoted(headers['content-type'])}`);
  if (method === 'HEAD') return problems;
  const text = body.toString();
  if (body.length > LONGEST_ERROR_BYTES) problems.push(`an error text of ${body.length} bytes`);
  if (!Buffer.from(text).equals(body)) problems.push('an error text that is not UTF-8');
  if (!/^[^\p{C}]+\n$/u.test(text))
    problems.push(`an error text that is not one printable line: ${quoted(text)}`);
  if (!text.includes(`(request ${headers['x-request-id']})`))
    problems.push(`an error text without the id of its request: ${quoted(text)}`);
  return problems;
}

export function quoted(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
