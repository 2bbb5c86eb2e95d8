import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import { isForbidden, type PlatformApi } from './api.ts';
import type { Resolver } from '../address/resolve.ts';
import type { Zone } from './zone.ts';

/** Who has a name: this Worker from a deployment before, or nobody whose record may not go. */
export type NameState = 'ours' | 'free';

const Domains = v.array(v.object({ hostname: v.string(), service: v.string() }));
const Records = v.array(v.object({ type: v.string(), content: v.optional(v.string(), '') }));

export interface Name {
  readonly host: string;
  readonly worker: string;
  readonly zone: Zone;
  /** Whether the user agreed that a DNS record of the name is replaced. */
  readonly mayReplace: boolean;
  readonly resolve: Resolver;
}

/**
 * Whether the Worker may have the name. Asked before anything is uploaded: without a terminal
 * wrangler takes the name of another Worker and replaces a DNS record without a question
 * (`override_existing_origin` and `override_existing_dns_record`).
 */
export async function checkName(
  api: PlatformApi,
  { host, mayReplace, resolve, worker, zone }: Name,
): Promise<Result<NameState>> {
  const domains = await api.call({
    path: `/accounts/${zone.account.id}/workers/domains?hostname=${host}`,
    result: Domains,
  });
  if (!domains.ok) {
    return failed(`Cannot look for Workers that serve at ${host}: ${domains.reason.text}`);
  }
  const owner = domains.value.find(({ hostname }) => hostname === host)?.service;
  if (owner === worker) return success('ours');
  if (owner !== undefined) {
    return failed(
      `Cannot serve at ${JSON.stringify(host)}: the Worker ${JSON.stringify(owner)} serves there; remove the name from that Worker, or name another host with --host`,
    );
  }
  if (mayReplace) return success('free');
  const records = await api.call({
    path: `/zones/${zone.id}/dns_records?name=${host}`,
    result: Records,
  });
  if (!records.ok) {
    if (isForbidden(records.reason)) return checkUnseen(host, zone, resolve);
    return failed(`Cannot look for DNS records of ${host}: ${records.reason.text}`);
  }
  const [record] = records.value;
  if (!record) return success('free');
  return failed(
    `Cannot serve at ${JSON.stringify(host)}: it has a DNS record already (${record.type} ${record.content}); delete the record in the dashboard (${zone.name}, DNS, Records), replace it with --replace-record, or name another host with --host`,
  );
}

/** The login of wrangler may not read DNS records. A record that serves something resolves. */
async function checkUnseen(
  host: string,
  zone: Zone,
  resolve: Resolver,
): Promise<Result<NameState>> {
  const found = await resolve(host);
  if (found.ok && found.value.length === 0) return success('free');
  const seen = found.ok
    ? `a DNS record exists, it resolves to ${found.value.join(', ')}`
    : `whether a DNS record exists is not known, DNS gave no answer (${found.reason})`;
  return failed(
    `Cannot serve at ${JSON.stringify(host)}: ${seen}, and the login may not read the records of ${zone.name}. A deployment replaces the record: look in the dashboard (${zone.name}, DNS, Records), and delete it or agree with --replace-record. Else name another host with --host`,
  );
}

/**
 * Whether the account has a workers.dev subdomain. modferry does not use it, but Cloudflare
 * registers no cron without one (code 10063), after the upload.
 */
export async function checkSubdomain(api: PlatformApi, account: string): Promise<Result<void>> {
  const subdomain = await api.call({
    path: `/accounts/${account}/workers/subdomain`,
    result: v.unknown(),
  });
  if (subdomain.ok || !subdomain.reason.codes.includes(NO_SUBDOMAIN)) return success(undefined);
  return failed(
    `The account ${account} has no workers.dev subdomain yet, and Cloudflare starts no cron without one: open https://dash.cloudflare.com/${account}/workers-and-pages once, which makes it, and run this again`,
  );
}

const NO_SUBDOMAIN = 10_007;
