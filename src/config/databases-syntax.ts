import type { Origin, OriginLimits } from '../origins/origin.ts';
import { parseAddress, redact } from './origins-syntax.ts';
import { parseVerifierKey, type VerifierKey } from '../tlog/verifier-key.ts';

/** A checksum database that clients reach through modferry, so that GOSUMDB stays on. */
export interface Database {
  /** The name in its key and in the paths of clients, such as `sum.golang.org`. */
  readonly name: string;
  /** What it signs its tree heads with. */
  readonly key: VerifierKey;
  /** Where it is asked, in this order. */
  readonly origins: readonly Origin[];
}

/**
 * The key that is compiled into the go command (cmd/go/internal/modfetch/key.go), and the two hosts
 * that serve this database: the second one is Google's own for networks that filter the first.
 */
const GO_KEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
const GO_URLS = 'https://sum.golang.org|https://sum.golang.google.cn';

/** What GOSUMDB accepts by name alone. */
const KNOWN: Readonly<Record<string, readonly [key: string, urls: string]>> = {
  'sum.golang.org': [GO_KEY, GO_URLS],
  'sum.golang.google.cn': [GO_KEY, 'https://sum.golang.google.cn|https://sum.golang.org'],
};

/** `host` or `host/path`: cmd/go accepts no other (modfetch/sumdb.go dbDial). */
const NAME = /^[a-z0-9.-]+(:\d+)?(\/[A-Za-z0-9._~-]+)*$/;

/**
 * SUMDBS: checksum databases in GOSUMDB syntax, separated by commas: `sum.golang.org`, `<verifier
 * key>`, or either followed by a space and `<url>[|<url>]`; `off` for none. Every problem is pushed
 * to `problems`.
 */
export function parseDatabases(
  text: string,
  { limits, problems }: { readonly limits: OriginLimits; readonly problems: string[] },
): readonly Database[] {
  if (text.trim() === 'off') return [];
  const databases = new Map<string, Database>();
  for (const entry of text.split(',').map((item) => item.trim())) {
    if (entry === '') continue;
    const database = parseDatabase(entry, limits);
    if (typeof database === 'string') {
      problems.push(`Cannot parse SUMDBS: entry ${JSON.stringify(redacted(entry))} ${database}`);
    } else if (databases.has(database.name)) {
      problems.push(
        `Cannot use SUMDBS: the database ${JSON.stringify(database.name)} is named twice`,
      );
    } else {
      databases.set(database.name, database);
    }
  }
  return [...databases.values()];
}

/**
 * An entry as it may be shown: without the passwords of its addresses, and without keys, one of
 * which may be a private one.
 */
function redacted(entry: string): string {
  return entry
    .replace(/private\+key\+\S*/gi, 'PRIVATE+KEY+…')
    .replace(/^([^\s+]+\+[^\s+]*\+)\S+/, '$1…')
    .replace(/[^\s|]+/g, redact);
}

function parseDatabase(entry: string, limits: OriginLimits): Database | string {
  const [first = '', urls, ...rest] = entry.split(/\s+/);
  if (rest.length > 0)
    return 'has more than a key and addresses: separate addresses by "|", databases by ","';
  const known = KNOWN[first];
  if (!known && !first.includes('+')) {
    return 'is neither the name of a known database nor a verifier key (name+hash+key)';
  }
  const key = parseVerifierKey(known?.[0] ?? first);
  if ('problem' in key) return `has a verifier key that ${key.problem}`;
  const { name } = key;
  if (!NAME.test(name)) return 'has a name that is no host with an optional path';

  const origins: Origin[] = [];
  for (const url of (urls ?? known?.[1] ?? `https://${name}`).split('|')) {
    if (/private\+key/i.test(url)) return 'has a private key where an address should be';
    const address = parseAddress(url);
    if (typeof address === 'string')
      return `has the address ${JSON.stringify(redact(url))}, which ${address}`;
    origins.push({ ...address, fallback: 'any', regions: [], limits });
  }
  return { name, key, origins };
}
