import { bytesOf, discard } from '../bytes/streams.ts';
import type { Found } from '../mirror/outcome.ts';
import { etagOf } from '../store/etag.ts';

/** Reads the body of a small file, and gives its memory back. Rejects when it breaks off. */
export async function bodyOf({ file }: Found): Promise<Uint8Array> {
  try {
    return await bytesOf(file.body);
  } finally {
    file.held?.drop();
  }
}

/** Lets go of a body that is not needed. */
export function dropBody({ file }: Found): void {
  discard(file.body);
  file.held?.drop();
}

/** The same answer with another body, such as a list without some of its versions. */
export function withBody(found: Found, body: Uint8Array): Found {
  return { ...found, file: { body, size: body.length, etag: etagOf(body) } };
}
