import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import { isForbidden, type PlatformApi } from './api.ts';

/** The domain at Cloudflare in which a host is, and the account that it belongs to. */
export interface Zone {
  readonly id: string;
  readonly name: string;
  readonly account: { readonly id: string; readonly name: string };
}

const Zones = v.array(
  v.object({
    id: v.string(),
    name: v.string(),
    status: v.string(),
    account: v.object({ id: v.string(), name: v.string() }),
  }),
);

/** The names that the zone of a host may have, the longest first. */
export function zoneNames(host: string): readonly string[] {
  const labels = host.split('.');
  return labels.slice(0, -1).map((_, start) => labels.slice(start).join('.'));
}

/**
 * The zone of a host. A deployment needs no other word about the account: a Worker serves at names
 * of its own account alone. Fails where there is no active zone, or it is not in `account`.
 */
export async function findZone(
  api: PlatformApi,
  host: string,
  account: string | undefined,
): Promise<Result<Zone>> {
  const cannot = `Cannot serve at ${JSON.stringify(host)}`;
  for (const name of zoneNames(host)) {
    const found = await api.call({ path: `/zones?name=${name}`, result: Zones });
    if (!found.ok) {
      const remedy = isForbidden(found.reason)
        ? '; the token or login lacks "Zone: Zone: Read", or it is wrong or expired'
        : '';
      return failed(`Cannot look for the domain ${name}: ${found.reason.text}${remedy}`);
    }
    const zone = found.value.find(({ status }) => status === 'active') ?? found.value[0];
    if (zone) {
      if (zone.status !== 'active') {
        return failed(
          `${cannot}: Cloudflare does not serve ${name} yet (its status is ${JSON.stringify(zone.status)}); set the name servers that the dashboard shows for it at your registrar, and run this again when it is active`,
        );
      }
      if (account !== undefined && zone.account.id !== account) {
        return failed(
          `${cannot}: ${name} is in the account ${JSON.stringify(zone.account.id)}, and CLOUDFLARE_ACCOUNT_ID or account_id names ${JSON.stringify(account)}; a Worker serves at names of its own account alone`,
        );
      }
      return success(zone);
    }
  }
  return failed(
    `${cannot}: none of your accounts has this domain; add it at https://dash.cloudflare.com, or name a host of a domain that is there, with --host. An API token must include the zone`,
  );
}
