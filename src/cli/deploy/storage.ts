import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import { isForbidden, type PlatformApi, type Refusal } from './api.ts';

/** A bucket or namespace that exists now. */
export interface Found {
  /** The id of a namespace, the name of a bucket. */
  readonly id: string;
  readonly isNew: boolean;
}

const Namespaces = v.array(v.object({ id: v.string(), title: v.string() }));
const Namespace = v.object({ id: v.string() });

/** The most that the API gives at a time. */
const PAGE = 100;

/**
 * Finds or makes a KV namespace by its title. `wrangler deploy` itself only makes it: after a first
 * deployment that failed half-way, it ends with code 10014 for ever.
 */
export async function ensureNamespace(
  api: PlatformApi,
  account: string,
  title: string,
): Promise<Result<Found>> {
  const path = `/accounts/${account}/storage/kv/namespaces`;
  for (let page = 1; ; page++) {
    const listed = await api.call({
      path: `${path}?per_page=${PAGE}&page=${page}&order=title&direction=asc`,
      result: Namespaces,
    });
    if (!listed.ok) return failed(refused('list the KV namespaces', listed.reason, KV));
    const found = listed.value.find((namespace) => namespace.title === title);
    if (found) return success({ id: found.id, isNew: false });
    if (listed.value.length < PAGE) break;
  }
  const made = await api.call({ method: 'POST', path, body: { title }, result: Namespace });
  if (made.ok) return success({ id: made.value.id, isNew: true });
  return failed(refused(`make the KV namespace ${JSON.stringify(title)}`, made.reason, KV));
}

/** Why there is no bucket: R2 is off in the account, or something failed. */
export type BucketFailure =
  | { readonly kind: 'off' }
  | { readonly kind: 'failed'; readonly text: string };

/** Finds or makes an R2 bucket. */
export async function ensureBucket(
  api: PlatformApi,
  account: string,
  name: string,
): Promise<Result<Found, BucketFailure>> {
  const path = `/accounts/${account}/r2/buckets`;
  const found = await api.call({ path: `${path}/${name}`, result: v.unknown() });
  if (found.ok) return success({ id: name, isNew: false });
  if (!found.reason.codes.includes(NO_SUCH_BUCKET)) {
    return failed(bucketFailure(`look for the R2 bucket ${JSON.stringify(name)}`, found.reason));
  }
  const made = await api.call({ method: 'POST', path, body: { name }, result: v.unknown() });
  if (made.ok) return success({ id: name, isNew: true });
  return failed(bucketFailure(`make the R2 bucket ${JSON.stringify(name)}`, made.reason));
}

const NO_SUCH_BUCKET = 10_006;
/** "Please enable R2 through the Cloudflare Dashboard." */
const R2_IS_OFF = 10_042;

function bucketFailure(what: string, reason: Refusal): BucketFailure {
  if (reason.codes.includes(R2_IS_OFF)) return { kind: 'off' };
  return { kind: 'failed', text: refused(what, reason, R2) };
}

const KV = 'Account: Workers KV Storage: Edit';
const R2 = 'Account: Workers R2 Storage: Edit';

function refused(what: string, reason: Refusal, permission: string): string {
  const remedy = isForbidden(reason) ? `; give the token the permission "${permission}"` : '';
  return `Cannot ${what}: ${reason.text}${remedy}`;
}
