/**
 * Versions that an origin has taken down: its 403 is the last word (origins/race/final-refusal.ts).
 *
 * The resolver notes what its own questions find out, and refuses what is known before the store is
 * looked at, so that no copy is served either. A takedown ends when its origin gives the refused
 * file again, which it is asked for once a day, or when an admin lifts it.
 */
import { discard } from '../bytes/streams.ts';
import { toPlainLine } from '../bytes/plain-text.ts';
import { within } from '../effects/clock.ts';
import { type RequestContext, type Resolver } from '../mirror/context.ts';
import { LOCAL, type Outcome, type Refused } from '../mirror/outcome.ts';
import { originPath } from '../module/origin-path.ts';
import { matches } from '../module/patterns.ts';
import type { Origin } from '../origins/origin.ts';
import { startOfFile } from '../origins/probe/known-file.ts';
import { isNoPage } from '../origins/probe/probe-files.ts';
import type { Answer } from '../origins/race/answer.ts';
import { originsFor } from '../origins/race/order.ts';
import type { Question } from '../origins/request/question.ts';
import { versionKey } from '../store/key.ts';
import { isInForce, isLifted, type Takedown, versionOf } from '../store/takedowns.ts';
import type { ModuleRequest } from './request.ts';
import type { ModuleSources } from './resolve.ts';

type Sources = Pick<ModuleSources, 'origins' | 'privateModules'>;

/** A request for a file of a version. */
export type VersionRequest = Extract<ModuleRequest, { readonly kind: Takedown['file'] }>;

/** How often the origin of a takedown is asked for the file again. */
export const ASK_AGAIN_MS = 86_400_000;

/** How long a client waits for that. */
const WAIT_MS = 5_000;

/** The most characters of an origin's own words that are kept. */
const MAX_WORDS = 120;

/** A resolver that refuses what was taken down. Everything else goes to `next`. */
export function refuseTakenDown<Context extends RequestContext>(
  next: Resolver<ModuleRequest, Context>,
  sources: Sources,
): Resolver<ModuleRequest, Context> {
  return async function resolveUnlessTakenDown(request, context) {
    if (!isAboutVersion(request)) return next(request, context);
    const { marks } = context.store;
    await marks.refresh();
    const known = marks.takedown(request);
    if (known && isInForce(known) && !(await hasEnded(known, sources, context)))
      return refused(known);
    const outcome = await next(request, { ...context, origins: watching(request, context) });
    // It may have been found out meanwhile, here or by another request.
    const found = marks.takedown(request);
    if (!found || !isInForce(found)) return outcome;
    drop(outcome);
    return refused(found);
  };
}

function isAboutVersion(request: ModuleRequest): request is VersionRequest {
  return request.kind === 'info' || request.kind === 'mod' || request.kind === 'zip';
}

function refused(takedown: Takedown): Refused {
  const { origin, since, words } = takedown;
  const when = new Date(since).toISOString().replace(/[.]\d+/, '');
  const says = words === '' ? '' : `, and says: ${words}`;
  const text = `refused: ${versionOf(takedown)}: taken down: ${origin} refuses it since ${when}${says}. Its word is final here: no other origin is asked, and no copy is served`;
  return { kind: 'refused', text, source: LOCAL };
}

function drop(outcome: Outcome): void {
  if (outcome.kind !== 'found') return;
  discard(outcome.file.body);
  outcome.file.held?.drop();
}

/** The origins of a request, in which takedowns of its version are noted. */
function watching(request: VersionRequest, context: RequestContext): RequestContext['origins'] {
  const { origins, store } = context;
  const path = pathOf(request);
  return {
    ...origins,
    async ask<T>(asked: readonly Origin[], question: Question<T>): Promise<Answer<T>> {
      // The same request asks checksum databases too.
      if (question.path !== path) return origins.ask(asked, question);
      const known = store.marks.takedown(request);
      const lifted = known && isLifted(known) ? known : undefined;
      const policy = { ...question.policy, mayBeTakenDown: lifted === undefined };
      const answer = await origins.ask(asked, { ...question, policy });
      if (answer.kind === 'missing' && answer.missing.isFinal)
        note(request, answer.missing, context);
      const hasGiven = answer.kind === 'accepted' && answer.origin === lifted?.origin;
      if (lifted && hasGiven && lifted.file === request.kind) end(lifted, context);
      return answer;
    },
  };
}

/** Notes a takedown, and reports it unless it is known. */
function note(
  { kind: file, module, version }: VersionRequest,
  { origin, text }: { readonly origin: string; readonly text: string },
  { background, clock, emit, store }: RequestContext,
): void {
  const known = store.marks.takedown({ module, version });
  if (known && known.endedAt === undefined) return;
  const words = toPlainLine(text).slice(0, MAX_WORDS);
  const since = clock.now();
  const takedown = { module, version, file, origin, words, since, askedAt: since };
  background('takedown', store.marks.write(takedown));
  emit({ event: 'security', kind: 'takedown', module, version, origin });
}

function end(takedown: Takedown, { background, clock, store }: RequestContext): void {
  background('takedown', store.marks.write({ ...takedown, endedAt: clock.now() }));
}

/** Whether the origin gives the file again, if it is to be asked for it now. */
async function hasEnded(
  takedown: Takedown,
  sources: Sources,
  context: RequestContext,
): Promise<boolean> {
  const { background, clock } = context;
  if (!context.mayFetch || !isDue(takedown, clock.now())) return false;
  const asking = askAgain(takedown, sources, context);
  background('takedown', asking);
  return within(clock, WAIT_MS, asking).catch(() => false);
}

/** Whether the origin of a takedown is to be asked again. */
export function isDue({ askedAt, endedAt }: Takedown, now: number): boolean {
  return endedAt === undefined && now - askedAt >= ASK_AGAIN_MS;
}

/**
 * Asks the origin of a takedown, and no other, for the refused file. Whether it gave the file, which
 * ends the takedown. An origin that ORIGINS does not name any more is not asked. Never rejects.
 */
export async function askAgain(
  takedown: Takedown,
  sources: Sources,
  context: RequestContext,
): Promise<boolean> {
  const { clock, origins, store } = context;
  const origin = originsOf(takedown, sources).find(({ name }) => name === takedown.origin);
  const asked = { ...takedown, askedAt: clock.now() };
  store.marks.learn(asked); // before the answer, so that nobody else asks meanwhile
  const file = { ...takedown, kind: takedown.file };
  const answer = origin && (await origins.ask([origin], isThere(file)));
  const isGiven = answer?.kind === 'accepted';
  await store.marks.write(isGiven ? { ...asked, endedAt: clock.now() } : asked);
  return isGiven;
}

/**
 * Asks the origins whose refusals are final whether they still give a version: its `.info`. False
 * when one of them cannot say. Never rejects.
 */
export async function askFinalOrigins(
  version: Pick<VersionRequest, 'module' | 'version'>,
  sources: Sources,
  context: RequestContext,
): Promise<boolean> {
  const request = { ...version, kind: 'info' } as const;
  for (const origin of originsOf(version, sources)) {
    if (origin.refusal !== 'final') continue;
    const answer = await watching(request, context).ask([origin], isThere(request));
    if (answer.kind === 'failed') return false;
  }
  return true;
}

function originsOf(
  { module }: Pick<VersionRequest, 'module'>,
  { origins, privateModules }: Sources,
): readonly Origin[] {
  return originsFor(origins, module, { isPrivate: matches(privateModules, module) });
}

/** The question whether an origin gives a file. */
function isThere(request: VersionRequest): Question<undefined> {
  return startOfFile({ path: pathOf(request), isExpected: isNoPage });
}

function pathOf({ kind, module, version }: VersionRequest): string {
  return originPath(versionKey(module, version, kind));
}
