import { success } from '../../../src/effects/result.ts';
import { HealthRegistry } from '../../../src/origins/health/registry.ts';
import type { KnownFileOf } from '../../../src/origins/upstream.ts';
import type { Origin } from '../../../src/origins/origin.ts';
import type { Answer } from '../../../src/origins/race/answer.ts';
import { type AskEffects, askOrigins } from '../../../src/origins/race/ask.ts';
import type { Question } from '../../../src/origins/request/question.ts';
import { askEffects } from './ask.ts';
import { type FakeClock, fakeClock } from './clock.ts';
import { type Call, type FakeFetch, fakeFetch, originOf } from './fetch.ts';
import { failTimes } from './health.ts';

/** A question whose answer is a text. */
const question: Question<string> = {
  path: '/x',
  accept: async (body) => success(new TextDecoder().decode(await body.all(100_000))),
};
export const a = originOf('a');
export const b = originOf('b');
export const c = originOf('c');
const d = originOf('d');

export const ok = () => new Response('ok');
export const no = () => new Response('no', { status: 404 });
export const broken = () => new Response('', { status: 500 });

export type Reply = (call: Call) => Response | Promise<Response>;

/** A reply after `ms` milliseconds. */
export function after(clock: FakeClock, ms: number, reply: Reply): Reply {
  return async (call) => {
    await clock.sleep(ms, call.signal);
    return reply(call);
  };
}

/** A reply that freezes after its headers and `bytes` bytes. */
export function freezing(bytes: number): Reply {
  return ({ signal }) => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(bytes));
        signal.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    return new Response(body, { headers: { 'Content-Length': '90000' } });
  };
}

interface Setup {
  readonly origins?: readonly Origin[];
  readonly asks?: Partial<Question<string>>;
  readonly effects?: Partial<AskEffects>;
}

/** Questions to the origins a, b, c and d, under a fake clock. */
export class Scene {
  readonly clock = fakeClock();
  readonly health: HealthRegistry;
  answer: Answer<string> | undefined;
  fetch: FakeFetch = fakeFetch({});

  /** `knownFileOf` gives the file that an origin is known to have. Default: none is known. */
  constructor(knownFileOf?: KnownFileOf) {
    this.health = new HealthRegistry({ clock: this.clock, random: () => 0.5, knownFileOf });
  }

  /** Asks `origins`; by default those of a, b, c and d that have a reply. */
  ask(replies: Readonly<Record<string, Reply>>, { origins, asks, effects }: Setup = {}): void {
    this.answer = undefined;
    const hosts = Object.entries(replies).map(([name, reply]) => [`https://${name}/`, reply]);
    this.fetch = fakeFetch(Object.fromEntries(hosts));
    const { clock, fetch, health } = this;
    const list = origins ?? [a, b, c, d].filter(({ name }) => name in replies);
    const all = askEffects({ clock, fetch, health, ...effects });
    void askOrigins(list, { ...question, ...asks }, all).then((answer) => (this.answer = answer));
  }

  /** The names of the origins that were asked, in order. */
  get asked(): string {
    return this.fetch.calls.map(({ url }) => new URL(url).host).join('');
  }

  /** Records answers of an origin after `ms` milliseconds each. */
  history(origin: Origin, ms: number): void {
    for (let at = 0; at < 40; at++)
      this.health.recordSuccess(origin, { headersMs: ms, bytes: 10, lane: 'reach' });
  }

  /** Records `times` failures of an origin. */
  fail(origin: Origin, times = 1): void {
    failTimes(this.health, origin, times, { reason: { kind: 'unreachable' } });
  }
}
