import { bigZip, type BigZip } from '../fakes/zip/zip-writer.ts';
import { makeModule } from '../fakes/origin/module.ts';
import type { FakeOrigin } from '../fakes/origin/origin.ts';
import { type Download, sha256Of } from './download.ts';

export const MB = 1_000_000;

export interface Served {
  readonly zip: BigZip;
  /** Its address at modferry. */
  readonly url: string;
  readonly cachedOnly: string;
}

/** A module of its own with a zip of `size` bytes, at these origins. */
export function serveBigZip(
  name: string,
  size: number,
  { at, by }: { readonly at: readonly FakeOrigin[]; readonly by: { readonly url: string } },
): Served {
  const path = `big.example/${name}`;
  const zip = bigZip(`${path}@v1.0.0/`, size);
  const version = { info: '{"Version":"v1.0.0"}', mod: zip.mod, zip };
  for (const origin of at) origin.add(makeModule(path, { 'v1.0.0': version }));
  const file = `/${path}/@v/v1.0.0.zip`;
  return { zip, url: by.url + file, cachedOnly: `${by.url}/cached-only${file}` };
}

const hashes = new WeakMap<BigZip, Promise<string>>();

/** What a complete download of the zip must be. */
export async function whole({ zip }: Served): Promise<Partial<Download>> {
  const hash = hashes.get(zip) ?? sha256Of(zip);
  hashes.set(zip, hash);
  return { status: 200, bytes: zip.size, sha256: await hash, broken: false };
}
