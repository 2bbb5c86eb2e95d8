/**
 * Hosted versions beside those of the origins of a private module.
 *
 *     list      both, one list; where an origin fails, that failure: go get -u would go back to an
 *               older version with a list that has only a part
 *     @latest   computed from that list (goproxy/latest-of-list.ts); this one counts where the list
 *               names nothing: the highest pseudo-version of both
 *     a query   the origins alone: what is published has no branches
 *     a file    the hosted one, where the version is hosted, without a look at any origin
 */
import { versionOfInfo } from '../goproxy/check-answer.ts';
import { moduleFile } from '../goproxy/files.ts';
import { bodyOf, withBody } from '../goproxy/found-body.ts';
import { formatList, parseList, sortVersions } from '../goproxy/list-body.ts';
import type { ModuleRequest } from '../goproxy/request.ts';
import type { RequestContext, Resolver } from '../mirror/context.ts';
import { STORE_FAILED } from '../mirror/large/fill.ts';
import { unavailable } from '../mirror/messages.ts';
import { type Found, LOCAL, type Outcome } from '../mirror/outcome.ts';
import { serve } from '../mirror/serve.ts';
import type { ModulePath } from '../module/module-path.ts';
import { matches, type Patterns } from '../module/patterns.ts';
import { compareVersions, isPseudoVersion } from '../module/version.ts';
import { etagOf } from '../store/etag.ts';
import { listVersions, readInfo } from './hosted-version.ts';

/** A request for a file of one version. */
type FileRequest = Extract<ModuleRequest, { kind: 'info' | 'mod' | 'zip' }>;

/** A resolver that serves the hosted versions of modules that match `patterns`. */
export function withHosted<Context extends RequestContext>(
  next: Resolver<ModuleRequest, Context>,
  patterns: Patterns,
): Resolver<ModuleRequest, Context> {
  return async function resolveHosted(request, context) {
    const { kind, module } = request;
    if (kind === 'query' || !matches(patterns, module)) return next(request, context);
    if (kind === 'list') return mergeLists(module, next, context);
    if (kind === 'latest') return latestCommit(module, next, context);
    return (await serveHosted(request, context)) ?? next(request, context);
  };
}

/** A file of a hosted version; undefined where the version is not hosted. */
async function serveHosted(
  request: FileRequest,
  context: RequestContext,
): Promise<Outcome | undefined> {
  const { kind, module, version } = request;
  const realm = context.realm('hosted');
  const info = await readInfo(realm.store, request);
  if (info === 'absent') return undefined;
  const failed = unavailable(`${module}@${version}.${kind}`, [STORE_FAILED], LOCAL);
  if (info === undefined) return failed;
  if (kind === 'info') return foundInfo(info, 'canonicalInfo', context);
  const verification = { mods: undefined, zips: undefined, keepsRules: false };
  const inRealm = { ...context, ...realm, mayFetch: false };
  const outcome = await serve(
    moduleFile(request, { context: inRealm, origins: [], isPrivate: true, verification }),
    inRealm,
  );
  // The version is there, so its file is: a 404 would send the go command elsewhere.
  return outcome.kind === 'found' ? outcome : failed;
}

async function mergeLists<Context extends RequestContext>(
  module: ModulePath,
  next: Resolver<ModuleRequest, Context>,
  context: Context,
): Promise<Outcome> {
  const [hosted, outcome] = await Promise.all([
    listVersions(context.realm('hosted').store, module),
    next({ kind: 'list', module }, context),
  ]);
  if (!hosted) return withoutHosted(outcome, `${module}/@v/list`);
  const listed = hosted.filter((version) => !isPseudoVersion(version));
  if (hosted.length === 0) return outcome;
  if (outcome.kind === 'missing') return foundHere(formatList(sortVersions(listed)), context);
  if (outcome.kind !== 'found') return outcome;
  const others = parseList(await bodyOf(outcome), module);
  return withBody(outcome, formatList(sortVersions([...listed, ...others])));
}

/** The origins' `@latest`, or a hosted pseudo-version that is higher. */
async function latestCommit<Context extends RequestContext>(
  module: ModulePath,
  next: Resolver<ModuleRequest, Context>,
  context: Context,
): Promise<Outcome> {
  const { store } = context.realm('hosted');
  const [hosted, outcome] = await Promise.all([
    listVersions(store, module),
    next({ kind: 'latest', module }, context),
  ]);
  const subject = `${module}/@latest`;
  if (!hosted) return withoutHosted(outcome, subject);
  const version = hosted.filter(isPseudoVersion).toSorted(compareVersions).at(-1);
  if (version === undefined) return outcome;
  if (outcome.kind === 'found') {
    const body = await bodyOf(outcome);
    const other = versionOfInfo(body);
    if (other && compareVersions(other, version) > 0) return withBody(outcome, body);
  } else if (outcome.kind !== 'missing') return outcome;
  const info = await readInfo(store, { module, version });
  return info === undefined || info === 'absent'
    ? unavailable(subject, [STORE_FAILED], LOCAL)
    : foundInfo(info, 'mutable', context);
}

/** A failure where hosted versions are not known: an answer without them would be wrong. */
function withoutHosted(outcome: Outcome, subject: string): Outcome {
  if (outcome.kind === 'found') void bodyOf(outcome);
  return unavailable(subject, [STORE_FAILED], LOCAL);
}

function foundInfo(
  info: Uint8Array,
  cache: 'canonicalInfo' | 'mutable',
  context: RequestContext,
): Found {
  return { ...foundHere(info, context), contentType: 'application/json', cache };
}

/** A file that was made of what is stored. */
function foundHere(body: Uint8Array, { store }: RequestContext): Found {
  return {
    kind: 'found',
    file: { body, size: body.length, etag: etagOf(body) },
    contentType: 'text/plain; charset=utf-8',
    cache: 'mutable',
    source: { from: 'store', tier: store.durableLabel ?? '' },
  };
}
