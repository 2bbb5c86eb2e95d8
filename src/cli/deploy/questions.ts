import { failed, type Result, success } from '../../effects/result.ts';
import { type Known, type Plan, parseHost, parsePlan, verifyFor } from './answers.ts';
import type { DeployEffects } from './effects.ts';

/** All that a deployment has to be told. */
export interface Complete {
  readonly host: string;
  readonly plan: Plan | undefined;
  readonly verify: string;
}

/** Asks for what is not known. Without a terminal, fails with all that is missing. */
export async function completeAnswers(
  { host, plan, verify }: Known,
  { ask, print }: Pick<DeployEffects, 'ask' | 'print'>,
): Promise<Result<Complete>> {
  const needsPlan = plan === undefined && verify === undefined;
  const missing = [
    ...(host === undefined
      ? ['the host name to serve at: --host go.example.com, or DEPLOY_HOST']
      : []),
    ...(needsPlan ? ['the plan of Workers: --plan free or paid, or DEPLOY_PLAN'] : []),
  ];
  if (!ask && missing.length > 0) {
    return failed(`Cannot deploy without a terminal to ask on: name ${missing.join(', and ')}`);
  }
  const answer = async <T>(question: string, parse: (text: string) => Result<T>): Promise<T> => {
    for (;;) {
      const parsed = parse((await ask?.(question)) ?? '');
      if (parsed.ok) return parsed.value;
      print(parsed.reason);
    }
  };
  const namedHost = host ?? (await answer(HOST_QUESTION, parseHost));
  const namedPlan = needsPlan ? await answer(PLAN_QUESTION, parsePlan) : plan;
  return success({
    host: namedHost,
    plan: namedPlan,
    verify: verify ?? verifyFor(namedPlan ?? 'free'),
  });
}

const HOST_QUESTION = 'Name to serve at, in a domain that is at Cloudflare (go.example.com): ';
const PLAN_QUESTION = 'Plan of Workers, "free" or "paid" (the dashboard shows it under Workers): ';

/** What a deployment without R2 lacks, and how it is added later. */
export const WITHOUT_R2 = `Without R2, modferry still fetches, races and checks, and KV keeps .info and .mod. But:
  - zips are kept by the edge cache alone: in an outage most builds fail
  - zips of more than 8 MiB pass without a check by modferry; the go command checks them
  - lists have no last good copy
To add R2 later: switch it on in the dashboard (Storage & databases, R2), and run this again.`;

/**
 * Whether to go on where R2 is not switched on. Fails with what to do where the user did not agree.
 */
export async function agreeWithoutR2(
  { withoutR2 }: Pick<Known, 'withoutR2'>,
  account: string,
  { ask, print }: Pick<DeployEffects, 'ask' | 'print'>,
): Promise<Result<void>> {
  print(`R2 is not switched on in the account ${account}.`);
  print(WITHOUT_R2);
  if (withoutR2) return success(undefined);
  const answer = await ask?.('Go on without R2? (y/N) ');
  if (answer !== undefined && /^y(es)?$/i.test(answer)) return success(undefined);
  return failed(
    `Cannot keep files: switch R2 on at https://dash.cloudflare.com/${account}/r2/overview (it asks for a payment card, the first 10 GB are free) and run this again, or go on without it with --without-r2`,
  );
}
