import { obstacleOf } from '../address/obstacle.ts';
import type { Visit, VisitOptions } from '../address/visit.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { escapeUpperCase } from '../../module/escape.ts';
import type { Subject } from './check.ts';

/** An answer of modferry's own, with status 200 unless others are expected. */
export type Answer = Extract<Visit, { kind: 'answered' }>;

interface GetOptions extends VisitOptions {
  /** The statuses of a success. Default: 200. */
  readonly expected?: readonly number[];
}

/** The lines of /readyz, which has them with status 503 too. Fails where it says nothing else. */
export async function readyLines(subject: Subject): Promise<Result<readonly string[]>> {
  const ready = await get(subject, '/readyz', { expected: [200, 503] });
  if (!ready.ok) return ready;
  const { status, text } = ready.value;
  const lines = text.split('\n');
  const isReport = status === 200 || lines.some((line) => line.startsWith('edge cache: '));
  return isReport ? success(lines) : failed(notExpected('/readyz', ready.value));
}

/** Gets a path. Fails with what stands in the way, or with modferry's own words. */
export async function get(
  { address, visit }: Pick<Subject, 'address' | 'visit'>,
  path: string,
  { expected = [200], ...options }: GetOptions = {},
): Promise<Result<Answer>> {
  const answer = await visit(address + path, options);
  const obstacle = obstacleOf(answer);
  if (obstacle) return failed(`${obstacle.seen}; ${obstacle.remedy}`);
  if (answer.kind === 'failed') return failed(answer.message);
  return expected.includes(answer.status) ? success(answer) : failed(notExpected(path, answer));
}

/** The versions of the module, escaped, in the order of `@v/list`. */
export async function versionsOf(subject: Subject): Promise<Result<readonly string[]>> {
  const list = await get(subject, `/${subject.module}/@v/list`);
  if (!list.ok) return list;
  const versions = list.value.text
    .split('\n')
    .filter((line) => line.startsWith('v'))
    .map(escapeUpperCase);
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

function notExpected(path: string, { status, text }: Answer): string {
  return `${path} is answered with ${status}: ${text.split('\n', 1)[0]?.trim() ?? ''}`;
}
