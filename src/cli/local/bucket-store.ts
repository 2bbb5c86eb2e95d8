import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import { nodeFetch } from '../../platform/node/fetch.ts';
import type { ListedFile } from '../../store/contract.ts';
import type { StoredTree } from '../../store/stored-tree.ts';
import { BucketPage, type BucketQuestion, FACTS_HEADER, parseFacts } from './bucket-protocol.ts';
import { buildWorker } from './build.ts';
import { startLocally } from './local.ts';
import { lockState } from './state-lock.ts';

/** The Worker is asked to remove no more at once. */
const MAX_REMOVED = 1_000;

export interface LocalBucket {
  readonly tree: StoredTree;
  close(): Promise<void>;
}

/** The bucket that `npm start` keeps in this directory, or why there is none. */
export async function openLocalBucket(stateDirectory: string): Promise<Result<LocalBucket>> {
  if (!existsSync(join(stateDirectory, 'r2'))) {
    return failed('npm start has kept no files there, name a directory instead');
  }
  const lock = await lockState(stateDirectory);
  if (!lock.ok) return lock;
  const secret = randomUUID();
  const { miniflare, url } = await startLocally({
    port: 0,
    stateDirectory,
    variables: { BUCKET_SECRET: secret },
    script: await buildWorker({ entry: 'src/cli/local/bucket-worker.ts' }),
  });
  // The edge cache has copies of files that were served, and is never needed.
  const purgeCopies = () => miniflare.purgeCache();
  const tree = bucketStore({ url, secret }, purgeCopies);
  const close = async () => {
    await miniflare.dispose();
    lock.value.release();
  };
  return success({ tree, close });
}

interface BucketWorker {
  readonly url: URL;
  readonly secret: string;
}

/** The bucket behind a Worker. `afterRemoval` is called when files were removed. */
function bucketStore(worker: BucketWorker, afterRemoval: () => Promise<unknown>): StoredTree {
  return {
    list: (prefix, after) => listBucket(worker, { prefix, after }),
    async read(key, range) {
      const answer = await ask(worker, { ask: 'read', key, range });
      if (!answer) return undefined;
      return { ...factsOf(answer), body: answer.body ?? new Uint8Array() };
    },
    async head(key) {
      const answer = await ask(worker, { ask: 'head', key });
      return answer && factsOf(answer);
    },
    async remove(keys) {
      for (let at = 0; at < keys.length; at += MAX_REMOVED) {
        await ask(worker, { ask: 'remove', keys: keys.slice(at, at + MAX_REMOVED) });
      }
      await afterRemoval();
    },
  };
}

async function* listBucket(
  worker: BucketWorker,
  which: { readonly prefix: string; readonly after: string | undefined },
): AsyncGenerator<ListedFile> {
  let cursor: string | undefined;
  do {
    const answer: Response | undefined = await ask(worker, { ask: 'list', ...which, cursor });
    const page: BucketPage = v.parse(BucketPage, await answer?.json());
    yield* page.files;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** The answer of the Worker; undefined where it has no such file. */
async function ask(
  { url, secret }: BucketWorker,
  question: BucketQuestion,
): Promise<Response | undefined> {
  const response = await nodeFetch(url.href, {
    method: 'POST',
    headers: { Authorization: secret },
    body: JSON.stringify(question),
  });
  if (response.ok) return response;
  const text = await response.text();
  if (response.status === 404) return undefined;
  throw new Error(`The local bucket answered ${response.status}: ${text.slice(0, 200)}`);
}

function factsOf({ headers }: Response) {
  return parseFacts(headers.get(FACTS_HEADER));
}
