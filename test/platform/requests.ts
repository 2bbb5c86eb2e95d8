import type { Counts } from './operations.ts';
import { BIG, growLog, type Scene } from './scene.ts';

/** A kind of request in a certain state of the platform. Returns the calls of that request. */
export type MeasuredRequest = (scene: Scene) => Promise<Counts>;

const LIST = '/example.com/hello/@v/list';
const LATEST = '/example.com/hello/@latest';
const INFO = '/example.com/hello/@v/v1.1.0.info';
const MOD = '/example.com/hello/@v/v1.1.0.mod';
const ZIP = '/example.com/hello/@v/v1.1.0.zip';
const OTHER_MOD = '/example.com/dep/@v/v1.0.0.mod';
const BIG_ZIP = `/${BIG}/@v/v1.0.0.zip`;
const NO_VERSION = '/example.com/hello/@v/v9.9.9.info';
const NO_MODULE = '/example.com/absent/@v/list';
const SUMDB = '/sumdb/sum.example.test';
const LOOKUP = `${SUMDB}/lookup/example.com/hello@v1.1.0`;
const TREE_HEAD = `${SUMDB}/latest`;
const TILE = `${SUMDB}/tile/8/0/x048/225`;
const PARTIAL_TILE = `${TILE}.p/17`;

/** Longer than lists and lookups are fresh, and than KV lags. */
const MINUTE_MS = 61_000;

/** In an isolate that has served other requests. Nothing of this one is stored. */
function cold(path: string, ...before: readonly string[]): MeasuredRequest {
  return async ({ usedIsolate }) => {
    const isolate = await usedIsolate('A');
    for (const earlier of before) await isolate.get(earlier);
    return (await isolate.get(path)).counts;
  };
}

/** As `cold`, in another isolate than the requests before. */
function coldIn(path: string, ...before: readonly string[]): MeasuredRequest {
  return async ({ usedIsolate }) => {
    const first = await usedIsolate('A');
    for (const earlier of before) await first.get(earlier);
    return (await (await usedIsolate('A')).get(path)).counts;
  };
}

/** As `cold`, after the log has a new tree head. */
function newHead(path: string, before: string): MeasuredRequest {
  return async ({ log, usedIsolate }) => {
    const isolate = await usedIsolate('A');
    await isolate.get(before);
    growLog(log);
    return (await isolate.get(path)).counts;
  };
}

/** Again in the same isolate, `afterMs` later. */
function again(path: string, afterMs = 0): MeasuredRequest {
  return async ({ usedIsolate, world }) => {
    const isolate = await usedIsolate('A');
    await isolate.get(path);
    await world.clock.advance(afterMs);
    return (await isolate.get(path)).counts;
  };
}

/** The first request of an isolate, in a data centre that has the file. */
function fresh(path: string): MeasuredRequest {
  return async ({ usedIsolate, world }) => {
    await (await usedIsolate('A')).get(path);
    return (await world.dataCentre('A').isolate().get(path)).counts;
  };
}

/** In another data centre than the one that stored the file, `afterMs` later. */
function elsewhere(path: string, init?: RequestInit, afterMs = MINUTE_MS): MeasuredRequest {
  return async ({ usedIsolate, world }) => {
    await (await usedIsolate('A')).get(path);
    await world.clock.advance(afterMs);
    const isolate = await usedIsolate('B');
    return (await isolate.get(path, init)).counts;
  };
}

/** As `elsewhere`, with the etag that the first answer had. */
function notModified(path: string): MeasuredRequest {
  return async (scene) => {
    const { headers } = await (await scene.usedIsolate('A')).get(path);
    const etag = headers.get('ETag') ?? '';
    const isolate = await scene.usedIsolate('B');
    const answer = await isolate.get(path, { headers: { 'If-None-Match': etag } });
    if (answer.status !== 304) throw new Error(`status ${answer.status} where 304 is right`);
    return answer.counts;
  };
}

const HEAD = { method: 'HEAD' };
const RANGE = { headers: { Range: 'bytes=10-19' } };

/** The rows of the table of operations, in its order. */
export const REQUESTS: Readonly<Record<string, MeasuredRequest>> = {
  'warm list': again(LIST),
  'warm @latest': again(LATEST),
  'warm .info': again(INFO),
  'warm .mod': again(MOD),
  'warm .zip': again(ZIP),
  'warm lookup': again(LOOKUP),
  'warm tile': again(TILE),
  'warm tree head': again(TREE_HEAD),
  'warm .mod, fresh isolate': fresh(MOD),
  'warm .mod, 11 s later': again(MOD, 11_000),
  'warm .mod, 31 s later': again(MOD, 31_000),
  'warm .mod, 61 s later': again(MOD, MINUTE_MS),

  'stored .info, edge miss': elsewhere(INFO),
  'stored .mod, edge miss': elsewhere(MOD),
  'stored .mod, edge and KV miss': elsewhere(MOD, {}, 0),
  'stored .zip, edge miss': elsewhere(ZIP),
  'stored .zip, HEAD': elsewhere(ZIP, HEAD),
  'stored .zip, 304': notModified(ZIP),
  'stored .zip, range': elsewhere(ZIP, RANGE),
  'stored large .zip, edge miss': elsewhere(BIG_ZIP),
  'stored large .zip, HEAD': elsewhere(BIG_ZIP, HEAD),
  'stored large .zip, range': elsewhere(BIG_ZIP, RANGE),
  'stored lookup, edge miss': elsewhere(LOOKUP),
  'stored tile, edge miss': elsewhere(TILE),
  'list, 61 s old': again(LIST, MINUTE_MS),
  '@latest, 61 s old': again(LATEST, MINUTE_MS),
  'tree head, 61 s old': again(TREE_HEAD, MINUTE_MS),

  'cold list': cold(LIST),
  'cold @latest': cold(LATEST),
  'cold .info': cold(INFO),
  'cold .mod, nothing known of the log': cold(MOD),
  'cold .mod, tree head stored': coldIn(MOD, OTHER_MOD),
  'cold .mod, tree head known': cold(MOD, OTHER_MOD),
  'cold .mod, new tree head': newHead(MOD, OTHER_MOD),
  'cold .zip, lookup known': cold(ZIP, MOD),
  'cold .zip, tree head known': cold(ZIP, OTHER_MOD),
  'cold .zip, nothing known of the log': cold(ZIP),
  'cold large .zip, tree head known': cold(BIG_ZIP, OTHER_MOD),
  'cold lookup, tree head known': cold(LOOKUP, OTHER_MOD),
  'cold lookup, nothing known of the log': cold(LOOKUP),
  'cold tree head': cold(TREE_HEAD),
  'cold tile, tree head known': cold(TILE, OTHER_MOD),
  'partial tile of a stored full one': cold(PARTIAL_TILE, TILE),

  'missing version': cold(NO_VERSION),
  'missing version, again': again(NO_VERSION),
  'missing version, 61 s later': again(NO_VERSION, MINUTE_MS),
  'missing module': cold(NO_MODULE),
  'missing module, again': again(NO_MODULE),
  'missing module, 61 s later': again(NO_MODULE, MINUTE_MS),

  supported: cold(`${SUMDB}/supported`),
  healthz: cold('/healthz'),
  readyz: cold('/readyz'),
  cron: async ({ usedIsolate }) => (await usedIsolate('A')).cron(),
};
