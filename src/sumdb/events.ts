/**
 * What an operator must hear of: a checksum database contradicts itself, or somebody speaks in its
 * name.
 */
export type LogEvent =
  /** It showed two trees that cannot both be true; the text is its own signed proof of that. */
  | {
      readonly event: 'security';
      readonly kind: 'fork';
      readonly database: string;
      readonly proof: string;
    }
  /** It says that its tree is smaller than it has been. */
  | {
      readonly event: 'security';
      readonly kind: 'rollback';
      readonly database: string;
      readonly proof: string;
    }
  /** An answer in its name that its key has not signed, or that its tree does not hold. */
  | {
      readonly event: 'security';
      readonly kind: 'forged';
      readonly database: string;
      readonly path: string;
      readonly reason: string;
    };
