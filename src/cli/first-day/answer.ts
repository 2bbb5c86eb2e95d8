import { obstacleOf } from '../address/obstacle.ts';
import type { Visit, VisitOptions } from '../address/visit.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import type { Subject } from './check.ts';

/** An answer with status 200 of modferry's own. */
export type Answer = Extract<Visit, { kind: 'answered' }>;

/** Gets a path. Fails with what stands in the way, or with modferry's own words. */
export async function get(
  { address, visit }: Pick<Subject, 'address' | 'visit'>,
  path: string,
  options?: VisitOptions,
): Promise<Result<Answer>> {
  const answer = await visit(address + path, options);
  const obstacle = obstacleOf(answer);
  if (obstacle) return failed(`${obstacle.seen}; ${obstacle.remedy}`);
  if (answer.kind === 'failed') return failed(answer.message);
  if (answer.status === 200) return success(answer);
  return failed(`${path} is answered with ${answer.status}: ${firstLine(answer.text)}`);
}

/** The paths below the module, in the order of `@v/list`; none where it cannot be had. */
export async function versionsOf(subject: Subject): Promise<Result<readonly string[]>> {
  const list = await get(subject, `/${subject.module}/@v/list`);
  if (!list.ok) return list;
  const versions = list.value.text.split('\n').filter((line) => line.startsWith('v'));
  return versions.length > 0 ? success(versions) : failed(`${subject.module} has no versions`);
}

/** Where an answer came from, by its Cache-Status: `edge`, `r2`, `kv` or an origin. */
export function sourceOf({ headers }: Answer): { readonly isHit: boolean; readonly from: string } {
  const status = headers.get('Cache-Status') ?? '';
  return {
    isHit: /^modferry; hit\b/.test(status),
    from: /\bdetail="?([^";]+)/.exec(status)?.[1] ?? 'unknown',
  };
}

/** Milliseconds that modferry took, by Server-Timing. */
export function totalMsOf({ headers }: Answer): string {
  return /\btotal;dur=([\d.]+)/.exec(headers.get('Server-Timing') ?? '')?.[1] ?? '?';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}
