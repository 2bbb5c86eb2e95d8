/**
 * Runs in the place of modferry's Worker, and hands out the bucket of the local run.
 *
 * Miniflare can lend a bucket to Node as well, but keeps some 100 KB for every file that is read
 * like that, and is slower. This Worker listens on loopback, where any page in a browser can post
 * to it: so it answers only to the secret that the command made up.
 */
import * as v from 'valibot';
import { kvStore } from '../../platform/cloudflare/kv.ts';
import { r2Store } from '../../platform/cloudflare/r2.ts';
import type { Bindings } from '../../platform/cloudflare/tiers.ts';
import { type BucketPage, BucketQuestion, FACTS_HEADER } from './bucket-protocol.ts';

type Env = Required<Bindings> & { readonly BUCKET_SECRET: string };

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.headers.get('Authorization') !== env.BUCKET_SECRET)
      return new Response(null, { status: 403 });
    return answer(v.parse(BucketQuestion, await request.json()), env);
  },
};

async function answer(question: BucketQuestion, { FILES, META }: Env): Promise<Response> {
  const store = r2Store(FILES);
  switch (question.ask) {
    case 'list': {
      const { after: startAfter, cursor, prefix } = question;
      const page = await FILES.list({
        prefix,
        ...(startAfter !== undefined && { startAfter }),
        ...(cursor !== undefined && { cursor }),
      });
      const files = page.objects.map(({ key, size }) => ({ key, size }));
      return Response.json(
        (page.truncated ? { files, cursor: page.cursor } : { files }) satisfies BucketPage,
      );
    }
    case 'read': {
      const file = await store.read(question.key, question.range);
      if (!file) return new Response(null, { status: 404 });
      const { body, ...facts } = file;
      return new Response(body instanceof Uint8Array ? body.slice() : body, {
        headers: { [FACTS_HEADER]: JSON.stringify(facts) },
      });
    }
    case 'head': {
      const facts = await store.head(question.key);
      if (!facts) return new Response(null, { status: 404 });
      return new Response(null, { headers: { [FACTS_HEADER]: JSON.stringify(facts) } });
    }
    case 'remove': {
      await store.remove(question.keys);
      // KV has copies of small files.
      const copies = kvStore(META);
      for (const key of question.keys) await copies.remove(key);
      return new Response();
    }
    default:
      return question satisfies never;
  }
}
