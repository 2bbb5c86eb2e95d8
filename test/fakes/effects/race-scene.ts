import { type Answer, type AskEffects, askOrigins } from '../../../src/origins/race/ask.ts';
import type { Question } from '../../../src/origins/request/attempt.ts';
import type { Origin } from '../../../src/origins/origin.ts';
import { Pool } from '../../../src/origins/health/pool.ts';
import { askEffects } from './ask.ts';
import { type FakeClock, fakeClock } from './clock.ts';
import { type Call, type FakeFetch, fakeFetch, originOf } from './fetch.ts';

/** Asks for a text. */
const question: Question<string> = {
  path: '/x',
  accept: async (body) => new TextDecoder().decode(await body.all(100_000)),
};
export const a = originOf('a');
export const b = originOf('b');
export const c = originOf('c');
const d = originOf('d');

export const ok = () => new Response('ok');
export const no = () => new Response('no', { status: 404 });
export const broken = () => new Response('', { status: 500 });

export type Reply = (call: Call) => Response | Promise<Response>;

/** A reply that takes its time. */
export function after(clock: FakeClock, ms: number, reply: Reply): Reply {
  return async (call) => {
    await clock.sleep(ms, call.signal);
    return reply(call);
  };
}

/** Headers and some bytes at once, and nothing more. */
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

/** Questions to origins that are mirrors of one another, under a clock that the test moves. */
export class Scene {
  readonly clock = fakeClock();
  readonly pool = new Pool({ clock: this.clock, random: () => 0.5 });
  answer: Answer<string> | undefined;
  fetch: FakeFetch = fakeFetch({});

  /** Asks a, b and c, which reply so. */
  ask(replies: Readonly<Record<string, Reply>>, { origins, asks, effects }: Setup = {}): void {
    this.answer = undefined;
    const hosts = Object.entries(replies).map(([name, reply]) => [`https://${name}/`, reply]);
    this.fetch = fakeFetch(Object.fromEntries(hosts));
    const { clock, fetch, pool } = this;
    const list = origins ?? [a, b, c, d].filter(({ name }) => name in replies);
    const all = askEffects({ clock, fetch, pool, ...effects });
    void askOrigins(list, { ...question, ...asks }, all).then((answer) => (this.answer = answer));
  }

  /** Who was asked, in this order. */
  get asked(): string {
    return this.fetch.calls.map(({ url }) => new URL(url).host).join('');
  }

  /** Lets the pool know answers of an origin that took so long. */
  history(origin: Origin, ms: number): void {
    for (let at = 0; at < 40; at++)
      this.pool.succeeded(origin, { headersAfter: ms, bytes: 10, isZip: false });
  }

  /** Lets the pool see an origin fail. */
  fail(origin: Origin, times = 1): void {
    const failure = { origin: origin.name, cause: 'status', text: 'status 500' } as const;
    for (let at = 0; at < times; at++)
      this.pool.failed(origin, failure, { bytes: 0, isZip: false });
  }
}
