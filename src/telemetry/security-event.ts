import type { Hashes } from '../origins/origin.ts';

/**
 * What an operator must hear of: somebody gave modferry something that is not what it should be.
 */
export type SecurityEvent =
  /** An origin gave a file that is not the one in the log. It was neither served nor stored. */
  | {
      readonly kind: 'mismatch';
      readonly subject: string;
      readonly origin: string;
      readonly hashes: Hashes;
    }
  /** A stored file is not the one in the log. It was removed and is fetched anew. */
  | { readonly kind: 'stored-mismatch'; readonly subject: string; readonly hashes: Hashes }
  /**
   * A database showed two trees that cannot both be true; the text is its own signed proof of that.
   */
  | { readonly kind: 'fork'; readonly database: string; readonly proof: string }
  /** A database says that its tree is smaller than it has been. */
  | { readonly kind: 'rollback'; readonly database: string; readonly proof: string }
  /**
   * An answer in the name of a database that its key has not signed, or that its tree does not
   * hold.
   */
  | {
      readonly kind: 'forged';
      readonly database: string;
      readonly path: string;
      readonly reason: string;
    };

/** Told of a security event. */
export type Alarm = (event: SecurityEvent) => void;
