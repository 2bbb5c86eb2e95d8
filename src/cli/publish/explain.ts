import { maskControls } from '../../bytes/plain-text.ts';

/** What modferry, or what stands before it, answered. */
export interface Answer {
  readonly status: number;
  /** The start of the body. */
  readonly text: string;
}

export interface Sent {
  /** `<module>@<version>`. */
  readonly subject: string;
  readonly bytes: number;
  /** The variable of the environment with the token. */
  readonly tokenVariable: string;
}

/** What came of it, for whoever published. */
export interface Explained {
  readonly isPublished: boolean;
  readonly text: string;
}

/** Cloudflare's limits of a body: https://developers.cloudflare.com/workers/platform/limits/ */
export const PLATFORM_LIMIT =
  'Cloudflare takes bodies of up to 100 MB on the Free and Pro plans, and 200 MB on Business. Leave large files out of the module (a directory with a go.mod of its own is no part of it), or serve this module by an origin';

/** Explains an answer. */
export function explain(
  { status, text }: Answer,
  { bytes, subject, tokenVariable }: Sent,
): Explained {
  if (status === 201) return { isPublished: true, text: `Published ${subject}` };
  if (status === 200)
    return { isPublished: true, text: `${subject} was there already, with the same bytes` };
  const said = errorOf(text);
  return { isPublished: false, text: `Cannot publish ${subject}: ${why()}` };

  function why(): string {
    if (status === 413 && said === undefined)
      return `the platform refused a body of ${bytes} bytes, before modferry saw it. ${PLATFORM_LIMIT}`;
    if (status >= 300 && status < 400)
      return `status ${status}, a redirect, which no token follows: write the address that it leads to`;
    if (said === undefined)
      return `status ${status}, and not in the words of modferry: is it at this address, and in a version that hosts modules?`;
    if (status === 401)
      return `${said}. The token is read from ${tokenVariable}: it needs the scope publish`;
    return said;
  }
}

/** The words of modferry's own answer; undefined for an answer of somebody else. */
function errorOf(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text);
    const error: unknown =
      typeof json === 'object' && json !== null ? Reflect.get(json, 'error') : undefined;
    return typeof error === 'string' ? maskControls(error) : undefined;
  } catch {
    return undefined;
  }
}
