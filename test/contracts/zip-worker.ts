import { hashZip } from '../../src/zip/hash-zip.ts';
import { bytesSource } from '../../src/zip/source.ts';

/** Hashes the zip in the body of a request, with the native code of workerd. */
export default {
  async fetch(request: Request): Promise<Response> {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return Response.json(await hashZip(bytesSource(bytes)));
  },
};
