import type { KVNamespace, R2Bucket, R2MultipartUpload } from '@cloudflare/workers-types';
import type { Clock } from '../../src/effects/clock.ts';
import type { Faults } from './faults.ts';
import { currentInvocation } from './invocation.ts';
import type { Operation } from './operations.ts';
import type { WriteLimits } from './write-limits.ts';

/**
 * The wrapper around what a Worker can call. Each call belongs to the invocation that makes it. The
 * same wrapper stands around bindings in memory and around those of workerd.
 */
export interface Platform {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly writes: WriteLimits;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
export type EdgeCache = Pick<Cache, 'match' | 'put' | 'delete'>;

export function limitedFetch(fetch: Fetch): Fetch {
  return (url, init) => {
    const invocation = currentInvocation();
    const own = init.signal ?? undefined;
    const signal = own ? AbortSignal.any([own, invocation.ended]) : invocation.ended;
    return invocation.call('fetch', () => fetch(url, { ...init, signal }), own);
  };
}

export function limitedCache(cache: EdgeCache, { faults }: Pick<Platform, 'faults'>): EdgeCache {
  return {
    match: (request, options) => call('cacheMatch', () => cache.match(request, options)),
    put: (request, response) =>
      call('cachePut', async () => {
        if (faults.edgePuts === 'kept') return cache.put(request, response);
        await response.body?.cancel();
        if (faults.edgePuts === 'rejected') throw new Error('Unable to put: the cache is full');
      }),
    delete: (request, options) => call('cacheDelete', () => cache.delete(request, options)),
  };
}

type Namespace = Pick<KVNamespace, 'getWithMetadata' | 'put' | 'delete'>;

export function limitedNamespace(namespace: Namespace, { faults, writes }: Platform): KVNamespace {
  const limited = {
    getWithMetadata: (...parameters: Parameters<Namespace['getWithMetadata']>) =>
      call('kvRead', () => namespace.getWithMetadata(...parameters)),
    put: (...parameters: Parameters<Namespace['put']>) =>
      call('kvWrite', async () => {
        writes.writeToKV(parameters[0], faults);
        await namespace.put(...parameters);
      }),
    delete: (...parameters: Parameters<Namespace['delete']>) =>
      call('kvDelete', () => namespace.delete(...parameters)),
  };
  return limited as unknown as KVNamespace;
}

type Bucket = Pick<R2Bucket, 'get' | 'head' | 'put' | 'list' | 'delete' | 'createMultipartUpload'>;

export function limitedBucket(bucket: Bucket, { clock, faults, writes }: Platform): R2Bucket {
  const callR2 = <T>(operation: Operation, perform: () => Promise<T>) =>
    call(operation, async () => {
      const { r2SilentMs } = faults;
      if (r2SilentMs === 'for ever') return new Promise<T>(() => undefined);
      if (r2SilentMs > 0) await clock.sleep(r2SilentMs);
      return perform();
    });
  const limited = {
    get: (...parameters: Parameters<Bucket['get']>) =>
      callR2('r2Read', () => bucket.get(...parameters)),
    head: (key: string) => callR2('r2Read', () => bucket.head(key)),
    put: (...parameters: Parameters<Bucket['put']>) =>
      callR2('r2Write', async () => {
        writes.writeToR2(parameters[0]);
        return bucket.put(...parameters);
      }),
    list: (...parameters: Parameters<Bucket['list']>) =>
      callR2('r2Write', () => bucket.list(...parameters)),
    delete: (keys: string | string[]) => callR2('r2Delete', () => bucket.delete(keys)),
    createMultipartUpload: (...parameters: Parameters<Bucket['createMultipartUpload']>) =>
      callR2('r2Write', async () => {
        const upload = await bucket.createMultipartUpload(...parameters);
        return limitedUpload(upload, { callR2, writes });
      }),
  };
  return limited as unknown as R2Bucket;
}

interface UploadCalls {
  readonly callR2: <T>(operation: Operation, perform: () => Promise<T>) => Promise<T>;
  readonly writes: WriteLimits;
}

type Upload = Pick<R2MultipartUpload, 'key' | 'uploadId' | 'uploadPart' | 'complete' | 'abort'>;

function limitedUpload(upload: Upload, { callR2, writes }: UploadCalls): Upload {
  return {
    key: upload.key,
    uploadId: upload.uploadId,
    uploadPart: (...parameters) => callR2('r2Write', () => upload.uploadPart(...parameters)),
    complete: (parts) =>
      callR2('r2Write', async () => {
        writes.writeToR2(upload.key);
        return upload.complete(parts);
      }),
    abort: () => callR2('r2Delete', () => upload.abort()),
  };
}

function call<T>(operation: Operation, perform: () => Promise<T>): Promise<T> {
  return currentInvocation().call(operation, perform);
}
