/** An action of an admin, or of whoever may publish. */
export interface AdminEvent {
  readonly event: 'admin';
  /** The name of the token. */
  readonly token: string;
  readonly action: AdminAction;
  /** What it was done to: the name of a token, `<module>@<version>`, or `<module>`. */
  readonly subject: string;
}

export type AdminAction =
  | 'make-token'
  | 'revoke-token'
  | 'publish-version'
  | 'delete-version'
  | 'delete-module'
  | 'refresh-module'
  | 'lift-takedown';
