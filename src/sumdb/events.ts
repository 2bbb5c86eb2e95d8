/** A checksum database contradicts itself, or an answer in its name is not from it. */
export type LogEvent =
  /** It signed two trees that cannot both be true; `proof` is its own signed proof of that. */
  | {
      readonly event: 'security';
      readonly kind: 'fork';
      readonly database: string;
      readonly proof: string;
    }
  /** It shows a smaller tree than before; `proof` has both signed tree heads. */
  | {
      readonly event: 'security';
      readonly kind: 'rollback';
      readonly database: string;
      readonly proof: string;
    }
  /** An answer in its name that its key has not signed, or that its tree does not contain. */
  | {
      readonly event: 'security';
      readonly kind: 'forged';
      readonly database: string;
      readonly path: string;
      readonly reason: string;
    };
