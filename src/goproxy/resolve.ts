import type { Patterns } from '../access/patterns.ts';
import { matches } from '../access/patterns.ts';
import { orderOrigins, type Region } from '../origins/order.ts';
import type { Origin } from '../origins/origin.ts';
import { latestKey, listKey, type StoreKey, versionKey } from '../store/key.ts';
import type { SelectRange } from '../store/layered.ts';
import type { Carrier } from './carrier.ts';
import { checkInfo, checkList, checkMod, MAX_SMALL_FILE } from './check-answer.ts';
import type { Outcome } from './outcome.ts';
import { LOCAL } from './outcome.ts';
import { cacheClassOf } from './policy.ts';
import type { ModuleRequest } from './request.ts';
import { serveSmallFile, type SmallFile } from './small-file.ts';
import { listStored } from './stored-list.ts';
import { serveZip } from './zip-file.ts';

export interface ResolveOptions {
  readonly carrier: Carrier;
  readonly origins: readonly Origin[];
  readonly privateModules: Patterns;
  readonly region: Region;
  /** Answer from the store and ask nobody: `/cached-only/…` and `Disable-Module-Fetch: true`. */
  readonly cachedOnly: boolean;
  readonly select?: SelectRange;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** Answers a module request. */
export async function resolve(request: ModuleRequest, options: ResolveOptions): Promise<Outcome> {
  const { carrier, cachedOnly, region, select } = options;
  const isPrivate = matches(options.privateModules, request.module);
  if (isPrivate) {
    // Whoever may read it needs a token, and this version gives none out.
    return { kind: 'refused', text: `${request.module} is private here: PRIVATE covers it`, source: LOCAL };
  }
  const origins = orderOrigins(options.origins, request.module, { isPrivate, region });
  if (request.kind !== 'zip')
    return serveSmallFile(smallFile(request, carrier), origins, { carrier, cachedOnly });
  const { module, version } = request;
  const key = versionKey(module, version, 'zip');
  const zip = {
    key,
    subject: `${module}@${version}.zip`,
    path: originPath(key),
    prefix: `${module}@${version}/`,
  };
  return serveZip(zip, origins, { carrier, cachedOnly, ...(select ? { select } : {}) });
}

/** How each kind of small file is fetched, checked and kept. */
function smallFile(request: Exclude<ModuleRequest, { kind: 'zip' }>, carrier: Carrier): SmallFile {
  const { module } = request;
  const plan = (
    key: StoreKey,
    name: string,
    rest: Pick<SmallFile, 'contentType' | 'check'> & Partial<SmallFile>,
  ): SmallFile => ({
    key,
    subject: module + name,
    path: originPath(key),
    cache: cacheClassOf(request),
    kv: false,
    limit: MAX_SMALL_FILE,
    ...rest,
  });

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
    case 'mod':
      return plan(versionKey(module, request.version, 'mod'), `@${request.version}.mod`, {
        contentType: TEXT,
        kv: true,
        check: checkMod,
      });
    default:
      return request satisfies never;
  }
}

/** The path that the go command would ask for: Go's url.PathEscape writes `!` as `%21` and leaves `+` and `@` alone. */
function originPath(key: StoreKey): string {
  const escaped = encodeURIComponent(key).replaceAll(/%(2F|24|26|2B|3A|3D|40)/g, decodeURIComponent);
  return `/${escaped.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}
