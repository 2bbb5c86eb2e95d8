import { failed, success, type Result } from '../effects/result.ts';
import type { Origin, OriginLimits } from '../origins/origin.ts';
import type { Database } from '../sumdb/database.ts';
import { parseVerifierKey } from '../tlog/verifier-key.ts';
import { parseSecureAddress, redact } from './address.ts';
import type { Parsed } from './problems.ts';

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
 * Parses SUMDBS, checksum databases in GOSUMDB syntax, separated by commas: `sum.golang.org`,
 * `<verifier key>`, or either followed by a space and `<url>[|<url>]`; `off` for none.
 */
export function parseDatabases(
  text: string,
  { limits }: { readonly limits: OriginLimits },
): Parsed<readonly Database[]> {
  if (text.trim() === 'off') return success([]);
  const databases = new Map<string, Database>();
  const problems: string[] = [];
  for (const entry of text.split(',').map((item) => item.trim())) {
    if (entry === '') continue;
    const parsed = parseDatabase(entry, limits);
    if (!parsed.ok) {
      problems.push(
        `Cannot parse SUMDBS: entry ${JSON.stringify(redactEntry(entry))} ${parsed.reason}`,
      );
    } else if (databases.has(parsed.value.name)) {
      const name = JSON.stringify(parsed.value.name);
      problems.push(`Cannot use SUMDBS: the database ${name} is named twice`);
    } else {
      databases.set(parsed.value.name, parsed.value);
    }
  }
  if (problems.length > 0) return failed(problems);
  if (databases.size > 0) return success([...databases.values()]);
  return failed([
    `Cannot use SUMDBS ${JSON.stringify(text)}: it names no database, write "off" for none`,
  ]);
}

/** The reason of a failure goes after the entry. */
function parseDatabase(entry: string, limits: OriginLimits): Result<Database> {
  const [first = '', urls, ...rest] = entry.split(/\s+/);
  if (rest.length > 0) {
    return failed('has more than a key and addresses: separate addresses by "|", databases by ","');
  }
  const known = KNOWN[first];
  if (!known && !first.includes('+')) {
    return failed('is neither the name of a known database nor a verifier key (name+hash+key)');
  }
  const key = parseVerifierKey(known?.[0] ?? first);
  if (!key.ok) return failed(`has a verifier key that ${key.reason}`);
  const { name } = key.value;
  if (!NAME.test(name)) return failed('has a name that is no host with an optional path');

  const origins: Origin[] = [];
  for (const url of (urls ?? known?.[1] ?? `https://${name}`).split('|')) {
    if (/private\+key/i.test(url)) return failed('has a private key where an address should be');
    const address = parseSecureAddress(url, 'write https');
    if (!address.ok) {
      return failed(`has the address ${JSON.stringify(redact(url))}, which ${address.reason}`);
    }
    origins.push({ ...address.value, fallback: 'any', regions: [], limits });
  }
  return success({ name, key: key.value, origins });
}

/**
 * An entry as it may be shown: without the credentials of its addresses, and without keys, one of
 * which may be a private one.
 */
function redactEntry(entry: string): string {
  return entry
    .replace(/private\+key\+\S*/gi, 'PRIVATE+KEY+…')
    .replace(/^([^\s+]+\+[^\s+]*\+)\S+/, '$1…')
    .replace(/[^\s|]+/g, redact);
}
