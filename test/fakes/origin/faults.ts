import { gzipSync } from 'node:zlib';
import { type Answer, bodyBytes, type StreamedBody, textAnswer } from './answer.ts';
import { readZip } from '../zip/dirhash.ts';
import { noise, writeZip } from '../zip/zip-writer.ts';

/**
 * The faults of a fake server:
 *
 * - a number, `{ status }`: that status with a line of text; `headers`, such as Retry-After, and
 *   `text` as given.
 * - `html`: 200 with an HTML page, as a login or block page would be.
 * - `redirect`: 302 to the same server, which has the real body there.
 * - `{ redirect: base }`: 302 to the server with that base URL (without a prefix), which must have
 *   the module.
 * - `redirect-loop`: 302 to the same URL.
 * - `wrong-version`, `empty-time`: a JSON body with the Version v9.9.9, or with `"Time":""`; other
 *   bodies are unchanged.
 * - `tampered`: other content in a valid form: a zip with one changed file, a text with one more
 *   line.
 * - `not-a-zip`: meaningless bytes of the same length.
 * - `outside-prefix`: a zip with one more entry, outside of `module@version/`.
 * - `gzip`: the body compressed, with Content-Encoding: gzip.
 * - `hang`: the request is read and never answered.
 * - `{ 'delay-headers': ms }`: the answer starts so many milliseconds later.
 * - `reset`: the connection is reset before the first byte of the answer.
 * - `truncate`: half of the body under the full Content-Length, then a reset.
 * - `{ 'freeze-after': bytes }`: headers and so many bytes of a longer body, then nothing.
 * - `{ drip: { bytesPerSecond } }`: a slow body.
 * - `no-length`: chunked, without Content-Length.
 */
export type Fault =
  | number
  | NamedAlteration
  | NamedDelivery
  | StatusFault
  | RedirectFault
  | TimedDelivery;

type NamedAlteration =
  | 'html'
  | 'redirect'
  | 'redirect-loop'
  | 'wrong-version'
  | 'empty-time'
  | 'tampered'
  | 'not-a-zip'
  | 'outside-prefix'
  | 'gzip';
type NamedDelivery = 'hang' | 'reset' | 'truncate' | 'no-length';

export interface StatusFault {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

export interface RedirectFault {
  readonly redirect: string;
}

export type TimedDelivery =
  | { readonly 'delay-headers': number }
  | { readonly 'freeze-after': number }
  | { readonly drip: { readonly bytesPerSecond: number } };

export interface FaultOptions {
  /** The requests that the fault applies to, by `matches`; default all. */
  readonly match?: string | RegExp;
  /** The number of requests that the fault applies to; default unlimited. */
  readonly times?: number;
}

/** The target of redirects: below this path a server answers as below its root. */
export const REDIRECTED = '/-redirected';

/** The faults that are switched on. Where several match, the latest one applies. */
export class FaultSwitch {
  #active: { fault: Fault; match: string | RegExp | undefined; left: number }[] = [];

  /** Switches a fault on; `undefined` switches all faults off. */
  set(fault: Fault | undefined, options: FaultOptions = {}): void {
    if (fault === undefined) this.#active = [];
    else this.#active.unshift({ fault, match: options.match, left: options.times ?? Infinity });
  }

  /**
   * The fault for this request, counted as used once. The target of a redirect is not redirected
   * again.
   */
  take(request: { readonly path: string; readonly url: string }): Fault | undefined {
    const found = this.#active.find(
      ({ fault, match }) =>
        matches(request, match) && !(request.path.startsWith(REDIRECTED) && isRedirect(fault)),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#active = this.#active.filter((active) => active !== found);
    return found.fault;
  }
}

/** Whether a request's path or raw target contains the text or matches the expression. */
export function matches(
  request: { readonly path: string; readonly url: string },
  match: string | RegExp | undefined,
): boolean {
  if (match === undefined) return true;
  return [request.path, request.url].some((value) =>
    typeof match === 'string' ? value.includes(match) : value.search(match) >= 0,
  );
}

function isRedirect(fault: Fault): boolean {
  return fault === 'redirect' || (typeof fault === 'object' && 'redirect' in fault);
}

/** The answer with the fault applied. Faults of the delivery leave it unchanged. */
export async function alter(
  answer: Answer,
  fault: Fault | undefined,
  url: string,
): Promise<Answer> {
  if (typeof fault === 'number') return alter(answer, { status: fault }, url);
  if (typeof fault === 'object') {
    if ('status' in fault) {
      return textAnswer(fault.status, fault.text ?? `fault: status ${fault.status}`, fault.headers);
    }
    return 'redirect' in fault ? redirect(`${fault.redirect}${REDIRECTED}${url}`) : answer;
  }
  switch (fault) {
    case 'html':
      return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: PAGE };
    case 'redirect':
      return redirect(`${REDIRECTED}${url}`);
    case 'redirect-loop':
      return redirect(url);
    case 'gzip': {
      const headers = { ...answer.headers, 'content-encoding': 'gzip' };
      return { ...answer, headers, body: gzipSync(await bodyBytes(answer.body)) };
    }
    case 'wrong-version':
      return changeJSON(answer, { Version: 'v9.9.9' });
    case 'empty-time':
      return changeJSON(answer, { Time: '' });
    case 'tampered':
      return tamper(answer);
    case 'not-a-zip':
      return { ...answer, body: noise((await bodyBytes(answer.body)).byteLength) };
    case 'outside-prefix':
      return changeZip(answer, (files) => [
        ...files,
        { name: 'elsewhere.example@v1.0.0/evil.go', content: 'package evil\n' },
      ]);
    default:
      return answer;
  }
}

const PAGE = '<!DOCTYPE html>\n<title>Sign in</title>\n<p>Sign in to reach the internet.</p>\n';

function redirect(location: string): Answer {
  const signed = 'Expires=4102444800&Signature=fake';
  const target = location.includes(signed)
    ? location
    : `${location}${location.includes('?') ? '&' : '?'}${signed}`;
  return {
    status: 302,
    headers: { location: target, 'content-type': 'text/html; charset=utf-8' },
    body: '',
  };
}

function changeJSON(answer: Answer, change: Record<string, string>): Answer {
  if (answer.headers['content-type'] !== 'application/json' || typeof answer.body !== 'string')
    return answer;
  const value: unknown = JSON.parse(answer.body);
  return {
    ...answer,
    body: JSON.stringify({ ...(typeof value === 'object' ? value : {}), ...change }),
  };
}

async function tamper(answer: Answer): Promise<Answer> {
  if (answer.headers['content-type'] !== 'application/zip') {
    return {
      ...answer,
      body: Buffer.concat([await bodyBytes(answer.body), Buffer.from('// tampered\n')]),
    };
  }
  return changeZip(answer, ([first, ...rest]) =>
    first === undefined
      ? []
      : [
          { ...first, content: Buffer.concat([first.content, Buffer.from('\n// tampered\n')]) },
          ...rest,
        ],
  );
}

async function changeZip(
  answer: Answer,
  change: (
    files: { name: string; content: Uint8Array }[],
  ) => { name: string; content: string | Uint8Array }[],
): Promise<Answer> {
  if (answer.headers['content-type'] !== 'application/zip') return answer;
  const files = change(readZip(await bodyBytes(answer.body)));
  return {
    ...answer,
    body: writeZip(
      files.map(({ name, content }) => ({ name: Buffer.from(name, 'latin1'), content })),
    ),
  };
}

/** A copy with the lowest bit of byte `at` flipped. A negative `at` counts from the end. */
export function flipBit(body: string | Uint8Array, at: number): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(body));
  const index = at < 0 ? bytes.length + at : at;
  const byte = bytes[index];
  if (byte === undefined)
    throw new Error(`Cannot flip a bit of byte ${at} in ${bytes.length} bytes`);
  bytes[index] = byte ^ 1;
  return bytes;
}

/** As `flipBit`, for a streamed body. */
export function flipStreamedBit(body: StreamedBody, at: number): StreamedBody {
  const index = at < 0 ? body.size + at : at;
  return {
    size: body.size,
    async *stream() {
      let offset = 0;
      for await (const chunk of body.stream()) {
        const isHere = index >= offset && index < offset + chunk.length;
        yield isHere ? flipBit(chunk, index - offset) : chunk;
        offset += chunk.length;
      }
    },
  };
}
