import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { AuditedTree, ListedFile } from '../../operations/audit/tree.ts';
import type { Variables } from '../../config/variables.ts';
import { AuditError } from './arguments.ts';
import { startLocally } from '../local/local.ts';

/**
 * Runs in the place of modferry and hands out its bucket. Miniflare can lend a bucket to Node as
 * well, but keeps some 100 KB for every file that is read like that, and is slower. What is removed
 * goes from KV too, which has copies of small files. It listens on loopback as long as the audit
 * runs, where any page in a browser can post to it: so it answers to a secret alone.
 */
const bucketWorker = (secret: string) => `
export default {
  async fetch(request, { FILES, META }) {
    if (request.headers.get('Authorization') !== '${secret}') return new Response(null, { status: 403 });
    const { list, read, head, range, remove } = await request.json();
    if (list !== undefined) {
      const { objects, truncated, cursor } = await FILES.list(list ? { cursor: list } : {});
      const files = objects.map(({ key, size }) => ({ key, size }));
      return Response.json(truncated ? { files, cursor } : { files });
    }
    if (remove) {
      await FILES.delete(remove);
      for (const key of remove) await META?.delete(key);
      return Response.json({});
    }
    const object = head === undefined ? await FILES.get(read, range ? { range } : {}) : await FILES.head(head);
    if (!object) return new Response(null, { status: 404 });
    return head === undefined ? new Response(object.body) : Response.json({ size: object.size });
  },
};
`;

/** R2 removes no more at once. */
const MAX_REMOVE = 1_000;

const Page = v.object({
  files: v.array(v.object({ key: v.string(), size: v.number() })),
  cursor: v.optional(v.string()),
});
const Head = v.object({ size: v.number() });

export interface LocalBucket {
  readonly tree: AuditedTree;
  close(): Promise<void>;
}

/** The bucket that `npm start` keeps in this directory. Throws `AuditError` when there is none. */
export async function openLocalBucket(
  stateDirectory: string,
  variables: Variables,
): Promise<LocalBucket> {
  if (!existsSync(join(stateDirectory, 'r2'))) {
    throw new AuditError(
      `Cannot audit STATE_DIR ${JSON.stringify(stateDirectory)}: npm start has kept no files there, name a directory instead`,
    );
  }
  const secret = randomUUID();
  const script = bucketWorker(secret);
  const { miniflare, url } = await startLocally({ port: 0, stateDirectory, variables, script });
  const tree = bucketTree({ url, secret }, () => miniflare.purgeCache());
  return { tree, close: () => miniflare.dispose() };
}

interface Worker {
  readonly url: URL;
  readonly secret: string;
}

/**
 * `forgetCopies` empties the edge cache, which has what was asked for of late and is never needed.
 */
function bucketTree(worker: Worker, forgetCopies: () => Promise<unknown>): AuditedTree {
  return {
    list: () => listBucket(worker),
    async read(key) {
      return bytesOf(await ask(worker, { read: key }));
    },
    async open(key) {
      const found = await ask(worker, { head: key });
      if (!found) return undefined;
      const { size } = v.parse(Head, await found.json());
      return { size, read: (offset, length) => readPart(worker, key, { offset, length }) };
    },
    async remove(keys) {
      for (let at = 0; at < keys.length; at += MAX_REMOVE) {
        await ask(worker, { remove: keys.slice(at, at + MAX_REMOVE) });
      }
      await forgetCopies();
    },
  };
}

async function* listBucket(worker: Worker): AsyncIterable<ListedFile> {
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const answer: Response | undefined = await ask(worker, { list: cursor });
    const page: v.InferOutput<typeof Page> = v.parse(Page, await answer?.json());
    yield* page.files;
    cursor = page.cursor;
  }
}

async function readPart(
  worker: Worker,
  key: string,
  range: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const bytes = await bytesOf(await ask(worker, { read: key, range }));
  if (bytes?.length !== range.length) throw new Error(`${key} was changed while it was read`);
  return bytes;
}

/** The answer of the Worker; undefined where it has no such file. */
async function ask({ url, secret }: Worker, question: object): Promise<Response | undefined> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { Authorization: secret },
    body: JSON.stringify(question),
  });
  if (response.ok) return response;
  const text = await response.text();
  if (response.status === 404) return undefined;
  throw new Error(`The local bucket answered ${response.status}: ${text.slice(0, 200)}`);
}

async function bytesOf(response: Response | undefined): Promise<Uint8Array | undefined> {
  return response && new Uint8Array(await response.arrayBuffer());
}
