import * as v from 'valibot';
import { bodyInit } from '../../bytes/streams.ts';
import {
  type CopyLife,
  type FileToStore,
  type NearStore,
  parseChecked,
} from '../../store/contract.ts';
import type { DataCentreEntries } from './data-centre.ts';

/** The cache of this data centre as the near tier. */
export function edgeCache(entries: DataCentreEntries): NearStore {
  return {
    label: 'edge',

    async read(key) {
      const response = await entries.match(key);
      const { body, headers } = response ?? {};
      if (!response || !body || !headers) return undefined;
      const asOf = Number(headers.get('X-Modferry-As-Of'));
      const etag = headers.get('X-Modferry-Etag');
      if (etag === null) {
        return { kind: 'missing', asOf, missing: v.parse(Missing, await response.json()) };
      }
      const size = Number(headers.get('X-Modferry-Size'));
      const checked = parseChecked(headers.get('X-Modferry-Checked') ?? undefined);
      return { kind: 'file', asOf, file: { body, size, etag, checked } };
    },

    write: (key, file, life) =>
      entries.put(key, bodyInit(file.bytes), entryOf(life, factsOf(file))),

    writeMissing: (key, missing, life) => entries.put(key, JSON.stringify(missing), entryOf(life)),

    remove: (key) => entries.remove(key),
  };
}

const Missing = v.object({
  status: v.picklist([403, 404, 410]),
  text: v.string(),
  origin: v.string(),
});

function entryOf({ asOf, seconds }: CopyLife, facts: Readonly<Record<string, string>> = {}) {
  return { headers: { ...facts, 'X-Modferry-As-Of': String(asOf) }, seconds };
}

function factsOf({ bytes, checked, etag }: FileToStore): Record<string, string> {
  return {
    'X-Modferry-Etag': etag,
    'X-Modferry-Size': String(bytes.length),
    ...(checked !== undefined && { 'X-Modferry-Checked': checked }),
  };
}
