import { versionOfInfo } from '../../goproxy/check-answer.ts';
import { bodyOf, dropBody, withBody } from '../../goproxy/found-body.ts';
import { formatList, parseList } from '../../goproxy/list-body.ts';
import type { ModuleRequest } from '../../goproxy/request.ts';
import type { Resolver } from '../../mirror/context.ts';
import type { Found, Outcome } from '../../mirror/outcome.ts';
import type { Version } from '../../module/version.ts';
import type { LogContext } from '../../sumdb/log-context.ts';
import type { AgeLimits, AgeLimitsOf, OpenAges } from './age.ts';
import type { PolicyContext } from './context.ts';
import { judgeModule, type Policy } from './judge.ts';
import { ModuleVersions } from './module-versions.ts';
import { absence, groundText, refusal } from './texts.ts';

export interface PolicyOptions extends Policy {
  /** What ages a module is held to. */
  readonly limitsOf: AgeLimitsOf;
  readonly openAges: OpenAges;
}

/**
 * A resolver that keeps to the policy. What is refused is refused by every endpoint and method,
 * stored or not. A module to which nothing applies is passed on as it is.
 *
 * What a filter leaves of a list or of @latest is made anew for each request, from what `next` has,
 * and is not stored: ages pass, and rules change.
 */
export function byPolicy(
  next: Resolver<ModuleRequest, LogContext>,
  options: PolicyOptions,
): Resolver<ModuleRequest, PolicyContext> {
  return async function resolveByPolicy(request, context) {
    const { module } = request;
    const verdict = judgeModule(options, module);
    if (verdict.kind === 'refused') return refusal(module, groundText(verdict.by));
    if (verdict.kind === 'prefix') return absence(module, 'ALLOW covers only modules below it');
    const limits = options.limitsOf(module, context.cooldownMs);
    const hasNoAge = limits.explicitMs === undefined && limits.listMs === undefined;
    if (verdict.kind === 'free' && hasNoAge) return next(request, context);
    const versions = new ModuleVersions({
      module,
      context,
      verdictOf: verdict.kind === 'free' ? () => ({ isRefused: false }) : verdict.of,
      ages: options.openAges(context),
      listMs: limits.listMs,
      ask: (other) => next(other, context),
    });
    return resolveFiltered(request, { next, context, limits, versions });
  };
}

interface Filtering {
  readonly next: Resolver<ModuleRequest, LogContext>;
  readonly context: PolicyContext;
  readonly limits: AgeLimits;
  readonly versions: ModuleVersions;
}

function resolveFiltered(request: ModuleRequest, filtering: Filtering): Promise<Outcome> {
  switch (request.kind) {
    case 'list':
      return filterList(request, filtering);
    case 'latest':
      return filterLatest(request, filtering);
    case 'query':
      return filterQuery(request, filtering);
    case 'info':
      return refuseInfo(request, filtering);
    case 'mod':
    case 'zip':
      return refuseFile(request, filtering);
  }
}

type RequestOf<Kind extends ModuleRequest['kind']> = Extract<ModuleRequest, { kind: Kind }>;

async function refuseFile(
  request: RequestOf<'mod' | 'zip'>,
  { context, limits, next, versions }: Filtering,
): Promise<Outcome> {
  const { module, version } = request;
  const why =
    versions.refusedByRules(version) ?? (await versions.refusedByAge(version, limits.explicitMs));
  return why === undefined ? next(request, context) : refusal(`${module}@${version}`, why);
}

/**
 * An age is told of what exists alone: the go command asks for every prefix of an import path, needs
 * a 404 for each that is no module, and no database is asked about those.
 */
async function refuseInfo(
  request: RequestOf<'info'>,
  { context, limits, next, versions }: Filtering,
): Promise<Outcome> {
  const { module, version } = request;
  const denied = versions.refusedByRules(version);
  if (denied !== undefined) return refusal(`${module}@${version}`, denied);
  const outcome = await next(request, context);
  if (outcome.kind !== 'found') return outcome;
  const why = await versions.refusedByAge(version, limits.explicitMs);
  if (why === undefined) return outcome;
  dropBody(outcome);
  return refusal(`${module}@${version}`, why);
}

/** A branch or a hash is held to what lists are: its newest commit may be of this minute. */
async function filterQuery(
  request: RequestOf<'query'>,
  { context, limits, next, versions }: Filtering,
): Promise<Outcome> {
  const { module, query } = request;
  const outcome = await next(request, context);
  if (outcome.kind !== 'found') return outcome;
  const { info, version } = await readInfo(outcome);
  const subject = `${module}@${query}`;
  if (!version) return refusal(subject, 'it names no version');
  const why =
    versions.refusedByRules(version) ?? (await versions.refusedByAge(version, limits.listMs));
  return why === undefined ? info : refusal(`${subject} (${version})`, why);
}

async function filterList(
  request: RequestOf<'list'>,
  { context, next, versions }: Filtering,
): Promise<Outcome> {
  const outcome = await next(request, context);
  if (outcome.kind !== 'found') return outcome;
  const all = parseList(await bodyOf(outcome), request.module);
  const listed = await versions.listed(all);
  // A list that fills up within seconds must not be kept for a minute.
  const cache = listed.isComplete ? cacheOf(outcome, context) : 'failure';
  return { ...withBody(outcome, formatList(listed.versions)), cache };
}

/**
 * The highest version that is left. It is chosen from the list, as the go command would: what an
 * origin has as @latest may be filtered, and is not always the highest.
 */
async function filterLatest(
  request: RequestOf<'latest'>,
  { context, next, versions }: Filtering,
): Promise<Outcome> {
  const { module } = request;
  const listed = await next({ kind: 'list', module }, context);
  if (listed.kind === 'unavailable' || listed.kind === 'refused') return listed;
  const all = listed.kind === 'found' ? parseList(await bodyOf(listed), module) : [];
  if (listed.kind === 'found' && all.length > 0) {
    const choice = await versions.latest(all);
    if (choice.kind === 'none') return noneLeft(request, choice.why);
    const outcome = await next({ kind: 'info', module, version: choice.version }, context);
    return outcome.kind === 'found' ? { ...outcome, cache: cacheOf(listed, context) } : outcome;
  }
  // A module without versions: its @latest is a commit.
  const outcome = await next(request, context);
  if (outcome.kind !== 'found') return outcome;
  const { info, version } = await readInfo(outcome);
  if (!version) return noneLeft(request, 'it names no version');
  const choice = await versions.latest([version]);
  return choice.kind === 'none' ? noneLeft(request, choice.why) : info;
}

function noneLeft({ module }: RequestOf<'latest'>, why: string): Outcome {
  return absence(`${module}@latest`, `the policy leaves no version: ${why}`);
}

/** A header may have chosen not to fetch, and a cache in front of the Worker ignores that header. */
function cacheOf({ cache }: Found, { mayFetch }: PolicyContext): Found['cache'] {
  return mayFetch ? cache : 'failure';
}

/** The version that an info names, and the same answer once more. */
async function readInfo(
  found: Found,
): Promise<{ readonly info: Found; readonly version: Version | undefined }> {
  const body = await bodyOf(found);
  const file = { ...found.file, body, held: undefined };
  return { info: { ...found, file }, version: versionOfInfo(body) };
}
