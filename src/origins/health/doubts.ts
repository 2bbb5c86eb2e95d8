import { type Failure, mayConcernOneFile } from '../failure.ts';
import type { Origin } from '../origin.ts';
import { MAX_FAILURES } from './breaker.ts';

/** A request that waited so long for nothing shows an origin that may be down. */
export const SILENCE_MS = 5_000;

/** Names of broken files that are remembered at most: clients choose them. */
const MAX_REMEMBERED = 16;

/** How long no request for the known file follows one that failed. */
const CHECK_PAUSE_MS = 5_000;

/**
 * What speaks against one origin since its last success, besides its breakers.
 *
 * Anybody can ask for files with which an origin fails: a version that is too long for its disk, a
 * module that was tagged again, one that takes minutes to fetch. So such failures open a breaker
 * only when the origin also fails with a file that it is known to have.
 */
export class Doubts {
  /** Whether it failed with its known file too. */
  areConfirmed = false;
  /** Whether it asked for a pause (Retry-After), perhaps because of one file alone. */
  hasAskedForPause = false;
  #isSilent = false;
  /** The modules of which it failed with a file, in a way that may concern that file alone. */
  readonly #modules = new Set<string>();
  readonly #brokenFiles = new Set<string>();
  /** Until when nobody asks for the known file again. */
  #noCheckUntil = 0;

  /** Whether it left a request without an answer until the end of its time. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Whether they concern several modules or a long silence, and not the luck of one request. */
  get areMany(): boolean {
    return this.#isSilent || this.#modules.size >= MAX_FAILURES;
  }

  /** Whether some of them may concern single files. */
  get concernFiles(): boolean {
    return this.#modules.size > 0;
  }

  /** A request for the file at `path` failed. */
  add(failure: Failure, { limits }: Origin, path = ''): void {
    const { reason } = failure;
    const silenceMs = Math.min(SILENCE_MS, limits.headersMs);
    if (reason.kind === 'timeout' && reason.ms >= silenceMs) this.#isSilent = true;
    if (mayConcernOneFile(failure) && !this.areMany) this.#modules.add(moduleAt(path));
    if (failure.retryAfterSeconds) this.hasAskedForPause = true;
  }

  /** The body of a zip broke off. False for a zip that did so before. */
  addBroken(path = ''): boolean {
    const isNew = path === '' || !this.#brokenFiles.has(path);
    if (this.#brokenFiles.size >= MAX_REMEMBERED) this.#brokenFiles.clear();
    this.#brokenFiles.add(path);
    return isNew;
  }

  /** Claims a request for the known file, for `ms` milliseconds or until its result is recorded. */
  claimCheck(now: number, ms: number): boolean {
    if (now < this.#noCheckUntil) return false;
    this.#noCheckUntil = now + ms;
    return true;
  }

  /** The request for the known file failed. */
  confirm(now: number): void {
    this.areConfirmed = true;
    this.#noCheckUntil = now + CHECK_PAUSE_MS;
  }

  /** It gave an answer. */
  clear(): void {
    this.areConfirmed = false;
    this.hasAskedForPause = false;
    this.#isSilent = false;
    this.#modules.clear();
    this.#noCheckUntil = 0;
  }

  /** A long body came whole. */
  clearBroken(): void {
    this.#brokenFiles.clear();
  }
}

/** `/golang.org/x/text` of `/golang.org/x/text/@v/list`; the module of a lookup likewise. */
export function moduleAt(path: string): string {
  const [module = ''] = path.split('@', 1);
  return module;
}
