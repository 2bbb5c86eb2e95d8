/**
 * The rest of a body that broke off, from the origin that sent it or from another one.
 *
 * Bytes of two files must never be put together: a zip that is one file up to a point and another
 * one from there on is nobody's file, and where no checksum database has a say nothing would
 * notice. So the rest is taken only with a proof that it belongs to the bytes that were delivered:
 *
 * - A 206 to a request with If-Range, with the same strong validator and exactly the missing range:
 *   it is the rest of the same file (RFC 9110 13.1.5, 15.3.7.3). Last-Modified says so of one
 *   server alone; an equal strong ETag and an equal length are believed of another origin, too:
 *   mirrors pass on what they copy, tag and all.
 * - A 200, from a server that knows no ranges or has another tag for its file: its first bytes, as
 *   many as were delivered, are read and hashed. If their SHA-256 is that of the delivered ones,
 *   then what the client has is the start of this very file, and whatever follows is its rest: the
 *   client gets this server's whole file, byte for byte, and nothing is mixed. From then on the
 *   validator is the one of that answer.
 *
 * A network that cuts every connection after a megabyte is crossed in steps of a megabyte; one that
 * lets nothing through is not tried for long.
 */
import type { Clock } from '../../effects/clock.ts';
import { sha256, startSha256 } from '../../bytes/sha256.ts';
import { BodyReader, declaredLength } from './body-reader.ts';
import type { Origin } from '../origin.ts';
import { isRest, type Validator, validatorOf } from './validator.ts';
import { Vitals } from './attempt-progress.ts';

/** A try is fruitful when at least this many bytes came since the last break. */
const FRUITFUL_BYTES = 1024 * 1024;

/** Rounds in a row, each to all origins, that may bear no fruit. */
const MAX_FRUITLESS = 3;

/**
 * Requests for one body in all; the platform counts each against the 50 of a free plan, redirects
 * too.
 */
const MAX_REQUESTS = 20;

/** Bytes of a prefix that are read at once. */
const PIECE_BYTES = 256 * 1024;

/** A body that broke off. */
export interface BrokenBody {
  /** Bytes that were delivered of it. */
  readonly offset: number;
  /** What it broke with. */
  readonly error: unknown;
  /** Bytes that came over its last connection. */
  readonly bytes: number;
  /** SHA-256 of the delivered bytes, where it is known. */
  readonly digest: Uint8Array | undefined;
  /** Aborted when nobody wants the rest any more. */
  readonly signal: AbortSignal;
}

/** The rest of a body. */
export interface Continuation {
  readonly reader: BodyReader;
  /**
   * The names of the origins whose file it is: several where they are believed to have the same
   * one.
   */
  readonly givers: readonly string[];
}

/** Finds the rest of a body, or undefined. Never rejects. */
export type Resume = (broken: BrokenBody) => Promise<Continuation | undefined>;

export interface Break {
  readonly origin: Origin;
  readonly error: unknown;
  /** Bytes that came over this connection. */
  readonly bytes: number;
  /** Milliseconds until its headers were there. */
  readonly headersAfter: number;
  /** Bytes of the file that were delivered by then. */
  readonly offset: number;
}

export interface Resumption {
  /** Who sends the rest. */
  readonly origin: Origin;
  readonly offset: number;
  /** Requests since the break. */
  readonly tries: number;
}

export interface ResumeEvents {
  /** Told of each break. */
  readonly onBroken?: (event: Break) => void;
  /** Told each time that the rest was found. */
  readonly onResumed?: (event: Resumption) => void;
  /** Told when it was not: the body stays broken. */
  readonly onGivenUp?: (event: Resumption) => void;
}

export interface ResumeEffects extends ResumeEvents {
  /**
   * Asks an origin for the file with these headers besides the usual ones; rejects after its limit
   * for headers.
   */
  readonly ask: (origin: Origin, headers: RangeHeaders, signal: AbortSignal) => Promise<Response>;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Of the first origin; kept up to date while it sends. */
  readonly vitals: Vitals;
}

export type RangeHeaders = Readonly<Partial<Record<'Range' | 'If-Range', string>>>;

export interface Resumable extends ResumeEffects {
  /** Who sent the first answer. */
  readonly origin: Origin;
  /** Who else may have the file. */
  readonly others: readonly Origin[];
  /** The file's length in bytes. */
  readonly size: number;
  readonly validator: Validator | undefined;
}

/** Whose file it is of which the client has the start. */
interface Identity {
  readonly origin: Origin;
  readonly validator: Validator | undefined;
}

/** Finds the rest of one body, as often as it breaks off. */
export function resumer(body: Resumable): Resume {
  const { clock, onBroken, onGivenUp, onResumed, random, size, vitals } = body;
  let identity: Identity = body;
  let givers: readonly string[] = [body.origin.name];
  let sender = { origin: body.origin, headersAfter: vitals.headersAfter ?? 0 };
  let fruitless = 0;
  let requests = 0;
  let brokeAt = 0;

  return async function resume(broken) {
    const { bytes, error, offset, signal } = broken;
    onBroken?.({ ...sender, bytes, error, offset });
    const isFruitful = requests === 0 || offset - brokeAt >= FRUITFUL_BYTES;
    if (isFruitful) fruitless = 0;
    brokeAt = offset;
    const before = requests;
    const fact = (origin: Origin): Resumption => ({ origin, offset, tries: requests - before });
    while (fruitless < MAX_FRUITLESS && !signal.aborted) {
      fruitless += 1;
      await clock.sleep(50 + random() * 200, signal).catch(() => undefined);
      for (const origin of inTurn(isFruitful)) {
        if (signal.aborted || requests >= MAX_REQUESTS) break;
        const reader = await tryOrigin(origin, broken).catch(() => undefined);
        if (!reader) continue;
        onResumed?.(fact(origin));
        return { reader, givers };
      }
    }
    if (!signal.aborted) onGivenUp?.(fact(sender.origin));
    return undefined;
  };

  /**
   * Who sent last is asked first, as it is most likely to have the very same file; unless little
   * came of that: some networks let the start of each answer through and freeze the rest.
   */
  function inTurn(isFruitful: boolean): readonly Origin[] {
    const rest = [body.origin, ...body.others].filter(({ url }) => url !== sender.origin.url);
    return isFruitful ? [sender.origin, ...rest] : [...rest, sender.origin];
  }

  async function tryOrigin(origin: Origin, broken: BrokenBody): Promise<BodyReader | undefined> {
    const headers = conditions(origin, broken.offset);
    if (!headers['If-Range'] && !broken.digest) return undefined;
    const connection = new AbortController();
    const signal = AbortSignal.any([connection.signal, broken.signal]);
    // What others do says nothing of how the first origin keeps us waiting.
    const seen = origin === body.origin ? vitals : new Vitals(clock);
    const asked = clock.now();
    requests += 1;
    seen.readBegins();
    try {
      const response = await body.ask(origin, headers, signal);
      seen.readEnds(0);
      const headersAfter = clock.now() - asked;
      const { stallMs } = origin.limits;
      const reader = new BodyReader(response, { clock, stall: stallMs, vitals: seen });
      if (!(await continues(origin, response, { ...broken, headers, reader }))) {
        await reader.cancel('it is not the rest of the same file');
        return undefined;
      }
      sender = { origin, headersAfter };
      vitals.readEnds(0);
      return reader;
    } catch (error) {
      connection.abort(error);
      throw error;
    }
  }

  /** What makes the request one for the rest. Without them it is one for the whole file. */
  function conditions(origin: Origin, offset: number): RangeHeaders {
    const { validator } = identity;
    if (!validator || (validator.kind === 'date' && origin.url !== identity.origin.url)) return {};
    return { Range: `bytes=${offset}-`, 'If-Range': validator.value };
  }

  /** Whether what the reader gives from now on is the rest of what was delivered. */
  async function continues(
    origin: Origin,
    { headers, status }: Response,
    found: Found,
  ): Promise<boolean> {
    const { offset } = found;
    const { validator } = identity;
    if (status === 206 && validator && found.headers['If-Range']) {
      if (!isRest(headers, { offset, size, validator })) return false;
      if (!givers.includes(origin.name)) givers = [...givers, origin.name];
      return true;
    }
    if (status !== 200 || declaredLength(headers) !== size || !found.digest) return false;
    if (!equal(await digestOfStart(found.reader, offset), found.digest)) return false;
    identity = { origin, validator: validatorOf(headers) };
    givers = [origin.name];
    return true;
  }
}

interface Found {
  readonly offset: number;
  /** What it was asked with. */
  readonly headers: RangeHeaders;
  readonly digest: Uint8Array | undefined;
  readonly reader: BodyReader;
}

/** The SHA-256 of the next `length` bytes, or of all that come. */
async function digestOfStart(reader: BodyReader, length: number): Promise<Uint8Array> {
  if (length === 0) return sha256();
  const digest = startSha256();
  let memory = new ArrayBuffer(Math.min(length, PIECE_BYTES));
  for (let left = length; left > 0;) {
    const piece = await reader.fill(left < memory.byteLength ? new ArrayBuffer(left) : memory);
    if (piece.length === 0) break;
    digest.update(piece);
    left -= piece.length;
    memory = piece.buffer;
  }
  return digest.digest();
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
