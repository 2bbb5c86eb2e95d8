import type { RequestContext } from '../mirror/context.ts';
import { hostedKeys, type HostedVersion, readInfo } from './hosted-version.ts';

/** Whether a version is hosted; undefined where that cannot be told now. */
export async function isHosted(
  version: HostedVersion,
  { realm }: Pick<RequestContext, 'realm'>,
): Promise<boolean | undefined> {
  const info = await readInfo(realm('hosted').store, version);
  return info && info !== 'absent';
}

/**
 * Takes a hosted version away, the only function that does, and what is left of one that was never
 * visible. It is invisible first, so that nobody sees a part of it. The version may be published
 * again. False where the store fails; the version is then visible or not, and the same call goes on.
 */
export async function removeHosted(
  version: HostedVersion,
  { realm }: Pick<RequestContext, 'realm'>,
): Promise<boolean> {
  const { store } = realm('hosted');
  const { info, mod, zip, ziphash } = hostedKeys(version);
  return (await store.undo(info)) && (await store.undo(zip, mod, ziphash));
}
