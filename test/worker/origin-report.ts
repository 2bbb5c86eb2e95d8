import { as } from '../fakes/tokens.ts';
import type { Modferry } from './modferry.ts';

/** One origin in `/-/api/origins`, as far as tests look at it. */
export interface ReportedOrigin {
  readonly name: string;
  readonly breakers: {
    readonly reach: { readonly state: string; readonly failures: number };
    readonly bulk: { readonly state: string };
  };
  readonly counters: Readonly<Record<string, number>>;
  readonly lastFailure?: { readonly text: string };
  readonly probe?: {
    readonly small: { readonly verdict: string };
    readonly large?: { readonly verdict: string };
  };
  readonly history: readonly { readonly at: string }[];
}

export async function fetchOrigins({ url }: Pick<Modferry, 'url'>): Promise<{
  readonly origins: readonly ReportedOrigin[];
  readonly at: string;
}> {
  const answer = await fetch(`${url}/-/api/origins`, { headers: as('read') });
  return (await answer.json()) as { origins: ReportedOrigin[]; at: string };
}
