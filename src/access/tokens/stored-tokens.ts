/**
 * The tokens of TOKENS, and those that were made by the API. The latter lie in one document in the
 * durable tier, by their hashes.
 *
 *     age of what an isolate knows     a token in it            any other
 *     up to 30 s                       counts                   is wrong
 *     up to 60 s                       counts, and the document is wrong
 *                                      is read behind the answer
 *     more                             the answer waits for the document
 *
 * So what is made or revoked is in force everywhere within a minute, and wrong tokens cost an
 * isolate one read a minute, however many they are: nothing is kept of them. Requests that need the
 * document at the same time share one read.
 *
 * While the document cannot be read, a token that the isolate knows goes on to count: an outage of the
 * bucket would otherwise stop every build, and files are served all the same. A token revoked in
 * these minutes counts that much longer in other isolates. About any other token nothing is known
 * then, which is no 401: a go command would take that as the last word.
 */
import { encodeHex } from '../../bytes/hex.ts';
import { type Clock, within } from '../../effects/clock.ts';
import { SingleFlight } from '../../mirror/single-flight.ts';
import type { RequestContext } from '../../mirror/context.ts';
import { OwnDocument, unreadDocument } from '../../store/own-document.ts';
import type { KnownTokens } from '../caller.ts';
import { equalToken, hashToken, type Token } from '../token.ts';
import {
  isLater,
  type StoredToken,
  TOKEN_DOCUMENT,
  type TokenDocument,
  tokenOf,
  withUses,
} from './token-document.ts';

/** What is known is read again behind an answer when it is so old. */
const REFRESH_MS = 30_000;

/** What is known counts for so long. */
const MAX_AGE_MS = 60_000;

/** How long a request waits for the read of another one, which the platform may have ended. */
const MAX_WAIT_MS = 3_000;

/** The platform ends work that outlives its request by 30 s: an older write has ended. */
const WRITE_LIMIT_MS = 30_000;

/** How many tokens there may be: each is compared with what a client sends. */
export const MAX_TOKENS = 1_000;

/** What a token is made with. */
export type NewToken = Pick<StoredToken, 'name' | 'scope' | 'expires' | 'modules'>;

/** A token without its text. */
export interface ListedToken extends NewToken {
  readonly from: 'TOKENS' | 'api';
  readonly made?: string;
  readonly lastUsed?: string | undefined;
}

/** `unkept`: there is no durable tier. `unavailable`: it fails. */
type NotStored = 'unkept' | 'unavailable';

export type Made = { readonly kind: 'made'; readonly text: string } | { readonly kind: NotMade };

export type NotMade = 'configured' | 'taken' | 'too many' | NotStored;

export type Revoked = 'revoked' | 'none' | 'configured' | 'unavailable';

/** The tokens, as one request sees and changes them. No method rejects. */
export interface Tokens extends KnownTokens {
  /** Those of TOKENS first; undefined where the others cannot be read. */
  list(): Promise<readonly ListedToken[] | undefined>;
  /** Makes a token. Its text is nowhere else. */
  make(token: NewToken): Promise<Made>;
  revoke(name: string): Promise<Revoked>;
}

export type TokenEffects = Pick<RequestContext, 'background' | 'clock' | 'emit' | 'store'>;

/** What an isolate knows of the tokens. */
export class StoredTokens {
  readonly #configured: readonly Token[];
  readonly #known = unreadDocument<TokenDocument>();
  readonly #reads: SingleFlight<void>;
  #decoded: Decoded | undefined;
  /** The days of use that are to be written, by the names of the tokens. */
  readonly #uses = new Map<string, string>();
  /** Until when a write of them is taken to be running, or is not tried again. */
  #writingUntil = -Infinity;

  constructor(configured: readonly Token[], clock: Pick<Clock, 'steady'>) {
    this.#configured = configured;
    this.#reads = new SingleFlight(clock);
  }

  /** The tokens, for one request. */
  open(effects: TokenEffects): Tokens {
    const document = new OwnDocument(TOKEN_DOCUMENT, this.#known, effects);
    const opened = { ...effects, document };
    return {
      find: (hash) => this.#find(hash, opened),
      list: () => this.#list(opened),
      make: (token) => this.#make(token, opened),
      revoke: (name) => this.#revoke(name, opened),
    };
  }

  async #find(hash: Uint8Array, opened: Opened): Promise<Token | 'unknown' | undefined> {
    const configured = equalToken(this.#configured, hash);
    if (configured || opened.store.durableLabel === undefined) return configured;
    const ageMs = () => opened.clock.now() - this.#known.asOf;
    if (ageMs() >= MAX_AGE_MS) await this.#refresh(opened);
    const { tokens } = this.#decode();
    const found = equalToken(tokens, hash);
    if (!found) return ageMs() < MAX_AGE_MS ? undefined : 'unknown';
    if (ageMs() >= REFRESH_MS) opened.background('tokens', this.#refresh(opened));
    this.#noteUse(found.stored, opened);
    return found;
  }

  #decode(): Decoded {
    const document = this.#known.value ?? TOKEN_DOCUMENT.empty;
    if (this.#decoded?.document !== document) {
      const tokens = document.tokens.map((stored) => ({ ...tokenOf(stored), stored }));
      this.#decoded = { document, tokens };
    }
    return this.#decoded;
  }

  async #refresh({ background, clock, document }: Opened): Promise<void> {
    // No `await` may come between `join` and `lead`, or two requests would lead.
    const leader = this.#reads.join(TOKEN_DOCUMENT.name);
    if (leader) return within(clock, MAX_WAIT_MS, leader.shared).catch(() => undefined);
    const flight = this.#reads.lead(TOKEN_DOCUMENT.name);
    const reading = document.read(REFRESH_MS).then(() => {
      flight.share();
      flight.end();
    });
    // The read goes on for the others when this client leaves.
    background('tokens', reading);
    return reading;
  }

  #noteUse(token: StoredToken, opened: Opened): void {
    const { background, clock } = opened;
    const now = clock.now();
    const day = new Date(now).toISOString().slice(0, 'yyyy-mm-dd'.length);
    const isExpired = token.expires !== undefined && now >= Date.parse(token.expires);
    if (isExpired || !isLater(day, token)) return;
    this.#uses.set(token.name, day);
    if (clock.steady() < this.#writingUntil) return;
    this.#writingUntil = clock.steady() + WRITE_LIMIT_MS;
    background('last use of tokens', this.#writeUses(opened));
  }

  /** Writes until nothing is left that was noted meanwhile. */
  async #writeUses({ document }: Opened): Promise<void> {
    while (this.#uses.size > 0) {
      const days = new Map(this.#uses);
      const written = await document.update((current) => withUses(current, days));
      if (!written) return; // the next use tries it again, when the time is up
      for (const [name, day] of days) {
        if (this.#uses.get(name) === day) this.#uses.delete(name);
      }
    }
    this.#writingUntil = -Infinity;
  }

  async #list({ document, store }: Opened): Promise<readonly ListedToken[] | undefined> {
    const configured = this.#configured.map(
      ({ name, scope }) => ({ name, scope, from: 'TOKENS' }) as const,
    );
    if (store.durableLabel === undefined) return configured;
    const stored = await document.update(() => undefined);
    if (!stored) return undefined;
    const made = stored.tokens.map(
      ({ name, scope, expires, modules, made, lastUsed }) =>
        ({ name, scope, expires, modules, from: 'api', made, lastUsed }) as const,
    );
    return [...configured, ...made];
  }

  async #make(token: NewToken, { clock, document, store }: Opened): Promise<Made> {
    if (store.durableLabel === undefined) return { kind: 'unkept' };
    if (this.#isConfigured(token.name)) return { kind: 'configured' };
    const text = randomToken();
    const hash = encodeHex(hashToken(text));
    const made = new Date(clock.now()).toISOString();
    let problem: NotMade | undefined;
    const written = await document.update((current) => {
      const { tokens } = current;
      const other = tokens.find(({ name }) => name === token.name);
      problem = other ? 'taken' : tokens.length >= MAX_TOKENS ? 'too many' : undefined;
      // A write that seemed to fail may have been done: then the token is this one.
      if (other?.hash === hash) problem = undefined;
      if (other || problem) return undefined;
      return { ...current, tokens: [...tokens, { ...token, hash, made }] };
    });
    if (!written) return { kind: 'unavailable' };
    return problem ? { kind: problem } : { kind: 'made', text };
  }

  /** A token that was made can be revoked also where TOKENS has got one of that name. */
  async #revoke(name: string, { document, store }: Opened): Promise<Revoked> {
    const isNot = this.#isConfigured(name) ? 'configured' : 'none';
    if (store.durableLabel === undefined) return isNot;
    let isFound = false; // in any round: a write that seemed to fail may have been done
    const written = await document.update((current) => {
      const tokens = current.tokens.filter((token) => token.name !== name);
      if (tokens.length === current.tokens.length) return undefined;
      isFound = true;
      return { ...current, tokens };
    });
    if (!written) return 'unavailable';
    return isFound ? 'revoked' : isNot;
  }

  #isConfigured(name: string): boolean {
    return this.#configured.some((token) => token.name === name);
  }
}

interface Opened extends TokenEffects {
  readonly document: OwnDocument<TokenDocument>;
}

/** The tokens of a document, in its order. */
interface Decoded {
  readonly document: TokenDocument;
  readonly tokens: readonly (Token & { readonly stored: StoredToken })[];
}

/** 160 bits. The prefix is for those who look for secrets in what was published by mistake. */
function randomToken(): string {
  return `mf_${encodeHex(crypto.getRandomValues(new Uint8Array(20)))}`;
}
