import type { Patterns } from '../module/patterns.ts';
import { matches } from '../module/patterns.ts';
import type { Answer } from '../origins/race/ask.ts';
import { originsFor } from '../origins/race/order.ts';
import { Mismatch, type Origin } from '../origins/origin.ts';
import { latestKey, listKey, type StoreKey, versionKey } from '../store/key.ts';
import type { SelectRange } from '../store/large-files.ts';
import { hashMod } from '../zip/hash/hash-mod.ts';
import { askForFile } from '../mirror/ask-for-file.ts';
import type { Carrier } from '../mirror/carrier.ts';
import { checkInfo, checkList, checkMod, MAX_SMALL_FILE } from './check-answer.ts';
import type { ModulePath } from '../module/module-path.ts';
import type { Outcome } from '../mirror/outcome.ts';
import { LOCAL } from '../mirror/outcome.ts';
import { cacheClassOf } from '../mirror/cache-policy.ts';
import type { ModuleRequest } from './request.ts';
import { type Asked, serveSmallFile, type SmallFile } from '../mirror/small-file.ts';
import { listStored } from './stored-list.ts';
import {
  asMismatch,
  type Checksums,
  type Expected,
  judge,
  type Verdict,
} from '../mirror/verification.ts';
import type { Version } from '../module/version.ts';
import { serveZip } from '../mirror/zip-file.ts';

export interface ResolveOptions {
  readonly carrier: Carrier;
  readonly origins: readonly Origin[];
  readonly privateModules: Patterns;
  /** Answer from the store and ask nobody: `/cached-only/…` and `Disable-Module-Fetch: true`. */
  readonly cachedOnly: boolean;
  readonly select?: SelectRange;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** Answers a module request. */
export async function resolve(request: ModuleRequest, options: ResolveOptions): Promise<Outcome> {
  const { carrier, cachedOnly, select } = options;
  const isPrivate = matches(options.privateModules, request.module);
  if (isPrivate) {
    // Whoever may read it needs a token, and this version gives none out.
    return {
      kind: 'refused',
      text: `${request.module} is private here: PRIVATE covers it`,
      source: LOCAL,
    };
  }
  const origins = originsFor(options.origins, request.module, { isPrivate });
  if (request.kind !== 'zip')
    return serveSmallFile(smallFile(request, { carrier, origins }), { carrier, cachedOnly });
  const { module, version } = request;
  const key = versionKey(module, version, 'zip');
  const expect = expectation(request, carrier.verification.zips);
  const zip = {
    key,
    mark: versionKey(module, version, 'ziphash'),
    subject: `${module}@${version}.zip`,
    path: originPath(key),
    prefix: `${module}@${version}/`,
    ...(expect ? { expect } : {}),
  };
  return serveZip(zip, origins, { carrier, cachedOnly, ...(select ? { select } : {}) });
}

/** How to learn what a version's hashes must be, where VERIFY asks for it. */
function expectation(
  { module, version }: { readonly module: ModulePath; readonly version: Version },
  checksums: Checksums | undefined,
): (() => Promise<Expected>) | undefined {
  return checksums && (() => checksums.expect(module, version));
}

/** How each kind of small file is fetched, checked and kept. */
function smallFile(
  request: Exclude<ModuleRequest, { kind: 'zip' }>,
  { carrier, origins }: { readonly carrier: Carrier; readonly origins: readonly Origin[] },
): SmallFile {
  const { module } = request;
  const plan = (
    key: StoreKey,
    name: string,
    { check, expect, ...rest }: Checks & Pick<SmallFile, 'contentType'> & Partial<SmallFile>,
  ): SmallFile => {
    const file = { key, subject: module + name };
    const hasSpare = cacheClassOf(request) === 'mutable';
    const recheck =
      expect && (async (bytes: Uint8Array) => judge(await expect(), 'mod', hashMod(bytes)));
    return {
      ...file,
      cache: cacheClassOf(request),
      kv: false,
      ask: () =>
        askForSmallFile(file, { check, carrier, origins, hasSpare, ...(expect ? { expect } : {}) }),
      ...(recheck ? { recheck } : {}),
      ...rest,
    };
  };

  switch (request.kind) {
    case 'list':
      return plan(listKey(module), '/@v/list', {
        contentType: TEXT,
        check: checkList,
        makeUp: () => listStored(carrier.store, module),
      });
    case 'latest':
      return plan(latestKey(module), '/@latest', { contentType: JSON_TYPE, check: checkInfo });
    case 'query':
      return plan(versionKey(module, request.query, 'info'), `@${request.query}.info`, {
        contentType: JSON_TYPE,
        check: checkInfo,
      });
    case 'info':
      return plan(versionKey(module, request.version, 'info'), `@${request.version}.info`, {
        contentType: JSON_TYPE,
        kv: true,
        check: (bytes) => checkInfo(bytes, request.version),
      });
    case 'mod': {
      const expect = expectation(request, carrier.verification.mods);
      return plan(versionKey(module, request.version, 'mod'), `@${request.version}.mod`, {
        contentType: TEXT,
        kv: true,
        check: checkMod,
        ...(expect ? { expect } : {}),
      });
    }
    default:
      return request satisfies never;
  }
}

interface Checks {
  /** Throws `BadAnswer` when the answer cannot be this file. */
  readonly check: (bytes: Uint8Array) => void;
  /** What the hash of this go.mod must be, where a checksum database has a say. */
  readonly expect?: () => Promise<Expected>;
}

async function askForSmallFile(
  file: Pick<SmallFile, 'key' | 'subject'>,
  {
    check,
    expect,
    carrier,
    hasSpare,
    origins,
  }: Checks & {
    readonly carrier: Carrier;
    readonly origins: readonly Origin[];
    /** Whether a last good copy may be there. */
    readonly hasSpare: boolean;
  },
): Promise<Answer<Asked>> {
  const expected = expect?.(); // both are asked at once
  const answer = await askForFile(file, origins, {
    carrier,
    hasSpare,
    path: originPath(file.key),
    async accept(body): Promise<{ readonly bytes: Uint8Array; readonly verdict?: Verdict }> {
      const bytes = await body.all(MAX_SMALL_FILE);
      const known = await expected;
      try {
        check(bytes);
      } catch (error) {
        throw asMismatch(error, 'mod', known);
      }
      if (!known) return { bytes };
      const verdict = judge(known, 'mod', hashMod(bytes));
      if (verdict.kind === 'wrong') throw new Mismatch(verdict.hashes);
      return { bytes, verdict };
    },
  });
  if (answer.kind !== 'accepted') return answer;
  const { bytes, verdict } = answer.value;
  if (verdict?.kind === 'unknown') return { ...answer, kind: 'failed', failures: verdict.failures };
  return {
    ...answer,
    value: { bytes, ...(verdict?.kind === 'checked' ? { checked: verdict.checked } : {}) },
  };
}

/**
 * The path that the go command would ask for: Go's url.PathEscape writes `!` as `%21` and leaves
 * `+` and `@` alone.
 */
function originPath(key: StoreKey): string {
  const escaped = encodeURIComponent(key).replaceAll(
    /%(2F|24|26|2B|3A|3D|40)/g,
    decodeURIComponent,
  );
  return `/${escaped.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}
