import { decodeBase64 } from '../bytes/base64.ts';

/** What an Authorization header says. */
export type Credentials =
  | { readonly kind: 'none' }
  /** `why` is the end of a sentence. */
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'token'; readonly token: string };

const FORMS = 'send one header, "Basic" or "Bearer"';

/**
 * Reads an Authorization header. Of Basic (RFC 7617) the password is the token, or the user name
 * where the password is empty; the user name does not matter otherwise. Of Bearer (RFC 6750) it is
 * what follows. Schemes are written in any case.
 *
 * The platform joins several headers with commas. They are unreadable: which of them counts would
 * depend on what stands in front of modferry.
 */
export function readCredentials(header: string | undefined): Credentials {
  if (header === undefined) return { kind: 'none' };
  const [, scheme = '', value = ''] = /^([!-~]+) +([!-~]+) *$/.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic':
      return basic(value);
    case 'bearer':
      return value.includes(',') ? unreadable : { kind: 'token', token: value };
    default:
      return unreadable;
  }
}

const unreadable: Credentials = {
  kind: 'unreadable',
  why: `the Authorization header cannot be read: ${FORMS}`,
};

function basic(value: string): Credentials {
  const bytes = decodeBase64(value);
  const [, user = '', password = ''] =
    (bytes && /^([^:]*):(.*)$/s.exec(new TextDecoder().decode(bytes))) ?? [];
  const token = password || user;
  return token === '' ? unreadable : { kind: 'token', token };
}
