import { hashZip } from '../../src/zip/hash/hash-zip.ts';
import { bytesSource } from '../../src/bytes/byte-source.ts';

/** Hashes the zip in the body of a request, with the native code of workerd. */
export default {
  async fetch(request: Request): Promise<Response> {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return Response.json(await hashZip(bytesSource(bytes)));
  },
};
