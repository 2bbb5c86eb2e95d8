import { dropBody } from '../../goproxy/found-body.ts';
import type { ModuleRequest } from '../../goproxy/request.ts';
import type { Resolver } from '../../mirror/context.ts';
import type { Outcome } from '../../mirror/outcome.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import type { LogContext } from '../../sumdb/log-context.ts';
import type { Age } from './age.ts';
import { type Ground, judgeModule, type ModuleVerdict } from './judge.ts';
import type { PolicyOptions } from './resolve.ts';
import { ageText, groundText, timeText } from './texts.ts';

/** Why a version is served or not. */
export interface Explanation {
  readonly module: ModulePath;
  readonly version: Version;
  readonly policy: PolicyFacts;
  readonly origin: OriginFacts;
  readonly log: LogFacts;
}

export interface PolicyFacts {
  /** `unlisted`: served to who names it, and left out of `list`, of `@latest` and of queries. */
  readonly verdict: 'passes' | 'unlisted' | 'refused';
  readonly why: string;
  /** The variable and its entry that decide, where one does. */
  readonly variable?: Ground['variable'];
  readonly entry?: string;
  /** From when on it may be had, in RFC 3339 form and UTC, where that is known. */
  readonly from?: string;
}

/** Who has its `.info`. */
export interface OriginFacts {
  readonly outcome: Outcome['kind'];
  /** The origin, where it was asked just now. */
  readonly name?: string;
  /** The tier that has it stored. */
  readonly stored?: string;
  readonly text: string;
}

/** What the log of a checksum database has of it. */
export interface LogFacts {
  readonly database?: string | undefined;
  /** The number of its record. */
  readonly record?: number | undefined;
  /** When it was first observed there, in RFC 3339 form and UTC. */
  readonly since?: string | undefined;
  readonly text: string;
}

/** Reads what the log has of a version. Never rejects. */
export type ReadLog = (
  module: ModulePath,
  version: Version,
  context: LogContext,
) => Promise<LogFacts>;

export type Explain = (
  module: ModulePath,
  version: Version,
  context: LogContext,
) => Promise<Explanation>;

/** Returns the function that explains a version. Origins and databases are asked where they have to. */
export function explainer(
  next: Resolver<ModuleRequest, LogContext>,
  policy: PolicyOptions,
  readLog: ReadLog,
): Explain {
  return async function explain(module, version, context) {
    const outcome = await next({ kind: 'info', module, version }, context);
    if (outcome.kind === 'found') dropBody(outcome);
    const judged = byRules(judgeModule(policy, module), version);
    const isBarred = outcome.kind === 'refused' && judged.verdict === 'passes';
    const rules: PolicyFacts = isBarred ? { verdict: 'refused', why: outcome.text } : judged;
    const origin = originFacts(outcome);
    if (outcome.kind !== 'found' && outcome.kind !== 'refused') {
      const log = { text: 'not asked about what no origin gives' };
      return { module, version, policy: rules, origin, log };
    }
    const log = await readLog(module, version, context);
    const { explicitMs, listMs } = policy.limitsOf(module, undefined);
    const limitMs = explicitMs ?? listMs;
    if (rules.verdict === 'refused' || limitMs === undefined)
      return { module, version, policy: rules, origin, log };
    const age = await policy.openAges(context).of(module, version, limitMs);
    const young = explicitMs === undefined ? 'unlisted' : 'refused';
    return { module, version, policy: byAge(age, rules, young), origin, log };
  };
}

function byRules(verdict: ModuleVerdict, version: Version): PolicyFacts {
  switch (verdict.kind) {
    case 'free':
      return passes(verdict.by);
    case 'refused':
      return refused(verdict.by);
    case 'prefix':
      return { verdict: 'refused', why: 'ALLOW covers only modules below it', variable: 'ALLOW' };
    case 'by version': {
      const { by, isRefused } = verdict.of(version);
      return isRefused && by ? refused(by) : passes(by);
    }
  }
}

function passes(by: Ground | undefined): PolicyFacts {
  if (!by) return { verdict: 'passes', why: 'no rule refuses it' };
  return { verdict: 'passes', ...entryOf(by), why: `ALLOW has ${JSON.stringify(by.rule?.text)}` };
}

function refused(by: Ground): PolicyFacts {
  return { verdict: 'refused', ...entryOf(by), why: groundText(by) };
}

function entryOf({ rule, variable }: Ground): Pick<PolicyFacts, 'variable' | 'entry'> {
  return rule ? { variable, entry: rule.text } : { variable };
}

function byAge(age: Age, rules: PolicyFacts, verdict: PolicyFacts['verdict']): PolicyFacts {
  const why = ageText(age);
  if (why === undefined) return { ...rules, why: `${rules.why}, and it is old enough` };
  return { verdict, why, ...(age.kind === 'young' && { from: timeText(age.from) }) };
}

function originFacts(outcome: Outcome): OriginFacts {
  const { kind, source } = outcome;
  const name = source.from === 'local' ? undefined : source.origin;
  const facts = { outcome: kind, ...(name !== undefined && { name }) };
  if (kind !== 'found') return { ...facts, text: outcome.text };
  if (source.from === 'store')
    return { ...facts, stored: source.tier, text: `it is stored here (${source.tier})` };
  return { ...facts, text: `${name ?? 'modferry'} has it` };
}
