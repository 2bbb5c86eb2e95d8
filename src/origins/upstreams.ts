import type { Origin } from './origin.ts';

/** An origin of modules, or one address of a checksum database. */
export interface Asked {
  readonly origin: Origin;
  /** Name of the database. */
  readonly database?: string;
  /** What it is called in the history of probes; no two have the same, and no address is in it. */
  readonly id: string;
}

/** Everybody whom a configuration names, in its order. */
export function everyAsked({
  origins,
  databases,
}: {
  readonly origins: readonly Origin[];
  readonly databases: readonly { readonly name: string; readonly origins: readonly Origin[] }[];
}): readonly Asked[] {
  return [
    ...origins.map((origin) => ({ origin, id: origin.name })),
    ...databases.flatMap(({ name, origins }) =>
      origins.map((origin, index) => ({
        origin,
        database: name,
        id: `${name} ${index + 1} ${origin.name}`,
      })),
    ),
  ];
}
