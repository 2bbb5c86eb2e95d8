import type { Region } from '../../origins/race/order.ts';

/** The region of a request, from `request.cf`; empty where the platform provides none. */
export function regionOf(request: Request): Region {
  const cf: unknown = 'cf' in request ? request.cf : undefined;
  if (typeof cf !== 'object' || cf === null) return {};
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(cf, name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const dataCentre = text('colo');
  const country = text('country');
  const continent = text('continent');
  return {
    ...(dataCentre ? { dataCentre } : {}),
    ...(country ? { country } : {}),
    ...(continent ? { continent } : {}),
  };
}
