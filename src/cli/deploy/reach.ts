import type { Clock } from '../../effects/clock.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { type Obstacle, obstacleOf } from '../address/obstacle.ts';
import type { Visit, Visitor } from '../address/visit.ts';

/** A new name gets its certificate within some minutes. */
const WAIT_MS = 600_000;
/**
 * Before a new name is first asked for: a resolver that asks too early remembers for half an hour
 * that there is no such name.
 */
const FIRST_PAUSE_MS = 15_000;
const PAUSE_MS = 5_000;
/** How often a line says that it still waits, when nothing changes. */
const NEWS_MS = 60_000;
const LIMIT_MS = 15_000;

export interface ReachOptions {
  /** Without a trailing slash. */
  readonly address: string;
  readonly isNew: boolean;
  readonly visit: Visitor;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly print: (line: string) => void;
}

/** Waits until modferry itself answers at the address, ten minutes at most. */
export async function waitForAddress(options: ReachOptions): Promise<Result<void>> {
  const { address, clock, isNew, print, visit } = options;
  const start = clock.now();
  if (isNew) {
    print(`Waiting for ${address}: the certificate of a new name takes up to ten minutes`);
    await clock.sleep(FIRST_PAUSE_MS);
  }
  let news: { readonly seen: string; readonly at: number } | undefined;
  for (;;) {
    const obstacle = healthObstacle(await visit(`${address}/healthz`, { limitMs: LIMIT_MS }));
    if (!obstacle) return success(undefined);
    const now = clock.now();
    const minutes = Math.floor((now - start) / 60_000);
    if (!obstacle.mayPass) return failed(stopText(address, obstacle));
    if (now - start >= WAIT_MS) {
      return failed(`${stopText(address, obstacle)}\nTo go on waiting, run this again`);
    }
    if (news?.seen !== obstacle.seen || now - news.at >= NEWS_MS) {
      print(`  ${obstacle.seen} (after ${minutes} min)`);
      news = { seen: obstacle.seen, at: now };
    }
    await clock.sleep(PAUSE_MS);
  }
}

function healthObstacle(visit: Visit): Obstacle | undefined {
  const obstacle = obstacleOf(visit);
  if (obstacle || visit.kind === 'failed' || visit.status === 200) return obstacle;
  return {
    seen: `modferry answers ${visit.status}: ${firstLine(visit.text)}`,
    remedy: '"npx wrangler tail" shows its log',
    mayPass: false,
  };
}

function stopText(address: string, { remedy, seen }: Obstacle): string {
  return `modferry is deployed, but a go command cannot use ${address}: ${seen}; ${remedy}`;
}

/** The module file that a trial asks for: small, and every public proxy has it. */
export const TRIAL_FILE = '/golang.org/x/text/@v/v0.3.0.mod';

/** On the free plan the first `.mod` of an isolate may fail, and succeeds when it is repeated. */
const TRIALS = 3;

/**
 * Gets one module file as a go command does. Succeeds with where modferry had it from, or with whom
 * it gives it to: with ACCESS=private it asks for a token.
 */
export async function tryModule(options: ReachOptions): Promise<Result<string>> {
  const { address, clock, visit } = options;
  let why = '';
  for (let trial = 1; trial <= TRIALS; trial++) {
    if (trial > 1) await clock.sleep(PAUSE_MS);
    const got = await visit(address + TRIAL_FILE);
    const obstacle = obstacleOf(got);
    if (obstacle) {
      why = `${obstacle.seen}; ${obstacle.remedy}`;
    } else if (got.kind === 'answered') {
      if (got.status === 200) return success(got.headers.get('Cache-Status') ?? '');
      if (got.status === 401) return success('to those who have a token');
      why = `modferry answers ${got.status}: ${firstLine(got.text)}`;
    }
  }
  const ready = await visit(`${address}/readyz`, { limitMs: LIMIT_MS });
  const state = ready.kind === 'answered' && !obstacleOf(ready) ? `\n${indent(ready.text)}` : '';
  return failed(
    `modferry is deployed, but ${address}${TRIAL_FILE} cannot be had: ${why}\nRun this again to try once more${state && `. /readyz says:${state}`}`,
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}

function indent(text: string): string {
  return text.trim().replaceAll(/^/gm, '  ');
}
