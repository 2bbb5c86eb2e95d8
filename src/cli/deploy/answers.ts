import * as v from 'valibot';
import { problemsOf, type Parsed } from '../../config/problems.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { hostsOf, type Manifest } from './manifest.ts';

/** The options of the command line. */
export interface DeployFlags {
  readonly host?: string;
  readonly plan?: string;
  readonly withoutR2?: true;
  /** Never remembered: it is the consent to one run. */
  readonly replaceRecord?: true;
}

/** What a deployment asks its user, as it is remembered. */
export const Answers = v.object({
  host: v.exactOptional(v.string()),
  plan: v.exactOptional(v.picklist(['free', 'paid'])),
  withoutR2: v.exactOptional(v.boolean()),
});

export type Answers = v.InferOutput<typeof Answers>;

export type Plan = 'free' | 'paid';

/** What a deployment has to know; undefined where somebody has to be asked. */
export interface Known {
  readonly host: string | undefined;
  /** Undefined as well where `verify` decides. */
  readonly plan: Plan | undefined;
  /** VERIFY in wrangler.toml, where it was changed there. */
  readonly verify: string | undefined;
  /** Whether to go on where R2 is not switched on. */
  readonly withoutR2: boolean;
}

export interface Sources {
  readonly flags: DeployFlags;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly manifest: Manifest;
  /** The answers of the last run. */
  readonly saved: Answers;
}

/**
 * What is known without a question: by an option, else by the environment, else from wrangler.toml,
 * else from the last run. Fails with every value that is wrong.
 */
export function knownAnswers({ environment, flags, manifest, saved }: Sources): Parsed<Known> {
  const host =
    flags.host ?? (environment['DEPLOY_HOST'] || undefined) ?? hostsOf(manifest)[0] ?? saved.host;
  const plan = flags.plan ?? (environment['DEPLOY_PLAN'] || undefined) ?? saved.plan;
  const verify = manifest.vars['VERIFY'];
  const parsedHost = host === undefined ? success(undefined) : parseHost(host);
  const parsedPlan = plan === undefined ? success(undefined) : parsePlan(plan);
  const withoutR2 = parseSwitch('DEPLOY_WITHOUT_R2', environment['DEPLOY_WITHOUT_R2']);
  if (!parsedHost.ok || !parsedPlan.ok || !withoutR2.ok) {
    const all = [parsedHost, parsedPlan, withoutR2];
    return failed(problemsOf(all.map((one) => (one.ok ? one : failed([one.reason])))));
  }
  return success({
    host: parsedHost.value,
    plan: parsedPlan.value,
    verify: typeof verify === 'string' && !['', 'all'].includes(verify) ? verify : undefined,
    withoutR2: flags.withoutR2 ?? withoutR2.value ?? saved.withoutR2 ?? false,
  });
}

/** A variable that switches something on or off; undefined where it is empty. */
function parseSwitch(name: string, text = ''): Result<boolean | undefined> {
  if (text === '') return success(undefined);
  if (/^(1|true|yes)$/i.test(text)) return success(true);
  if (/^(0|false|no)$/i.test(text)) return success(false);
  return failed(`Cannot use ${name}=${JSON.stringify(text)}: write true or false`);
}

/** A host name, in lower case. */
export function parseHost(text: string): Result<string> {
  const host = text.trim().toLowerCase();
  const labels = host.split('.');
  const isName =
    host.length <= 253 && // RFC 1035 section 2.3.4, as is the 63 of a label
    labels.length >= 2 &&
    labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '');
  if (!isName) {
    return failed(
      `Cannot serve at ${JSON.stringify(text)}: write the name alone, such as go.example.com`,
    );
  }
  if (host.endsWith('.workers.dev')) {
    return failed(
      `Cannot serve at ${JSON.stringify(text)}: workers.dev is blocked in some networks, name a host of your own domain`,
    );
  }
  return success(host);
}

/** A plan of Workers. */
export function parsePlan(text: string): Result<Plan> {
  const plan = text.trim().toLowerCase();
  if (plan === 'free' || plan === 'paid') return success(plan);
  return failed(`Cannot deploy for the plan ${JSON.stringify(text)}: it is free or paid`);
}

/**
 * What is compared with the log: on the free plan, whose 10 ms of CPU time a request do not suffice
 * to hash a large zip, `.mod` alone.
 */
export function verifyFor(plan: Plan): string {
  return plan === 'free' ? 'mod' : 'all';
}
