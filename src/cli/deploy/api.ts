import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import { messageOf } from '../terminal/message.ts';

/** Why Cloudflare's API gave no result. */
export interface Refusal {
  /** Of the answer; undefined where the API could not be reached. */
  readonly status: number | undefined;
  /** The API's own error codes, such as 10014. */
  readonly codes: readonly number[];
  /** Completes "Cannot …: ". */
  readonly text: string;
}

export interface ApiCall<T> {
  /** Default: GET. */
  readonly method?: 'POST' | 'PUT';
  /** Below `/client/v4`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** What the result has to be. */
  readonly result: v.GenericSchema<unknown, T>;
}

/** Cloudflare's REST API (https://developers.cloudflare.com/api/). Never rejects. */
export interface PlatformApi {
  call<T>(call: ApiCall<T>): Promise<Result<T, Refusal>>;
}

export interface ApiOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** The headers that name who asks. */
  readonly credentials: Readonly<Record<string, string>>;
}

const LIMIT_MS = 30_000;

/** Every answer of the API has this form. */
const Envelope = v.object({
  success: v.boolean(),
  errors: v.nullish(v.array(v.object({ code: v.number(), message: v.string() })), []),
  result: v.optional(v.unknown()),
});

/** The API at an address. */
export function platformApi({ baseUrl, credentials }: ApiOptions): PlatformApi {
  return {
    async call({ method = 'GET', path, body, result }) {
      let status: number;
      let text: string;
      try {
        const response = await fetch(baseUrl + path, {
          method,
          headers: {
            ...credentials,
            ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(LIMIT_MS),
        });
        ({ status } = response);
        text = await response.text();
      } catch (error) {
        return failed(unreachable(baseUrl, error));
      }
      return resultOf({ status, text }, result);
    },
  };
}

function resultOf<T>(
  { status, text }: { readonly status: number; readonly text: string },
  schema: v.GenericSchema<unknown, T>,
): Result<T, Refusal> {
  const envelope = v.safeParse(Envelope, parseJson(text));
  if (!envelope.success) {
    const said = `Cloudflare's API answered ${status} without a result`;
    return failed({ status, codes: [], text: said });
  }
  const { errors, result, success: isGiven } = envelope.output;
  if (!isGiven) {
    const said = errors.map(({ code, message }) => `${message} [code: ${code}]`).join(', ');
    return failed({
      status,
      codes: errors.map(({ code }) => code),
      text: `Cloudflare's API answered ${status}: ${said || 'no reason given'}`,
    });
  }
  const parsed = v.safeParse(schema, result);
  if (parsed.success) return success(parsed.output);
  const said = `Cloudflare's API gave a result of another form (${v.summarize(parsed.issues)})`;
  return failed({ status, codes: [], text: said });
}

function unreachable(baseUrl: string, error: unknown): Refusal {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return {
    status: undefined,
    codes: [],
    text: `${baseUrl} cannot be reached (${messageOf(cause)}); where it is blocked, deploy with .github/workflows/deploy.yml`,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a login or a token must be allowed to do. */
export function isForbidden({ codes, status }: Refusal): boolean {
  return status === 401 || (status === 403 && codes.every((code) => FORBIDDEN.includes(code)));
}

/** "Authentication error", "Unauthorized to access requested resource", and the like. */
const FORBIDDEN = [9106, 9109, 10_000, 10_001];
