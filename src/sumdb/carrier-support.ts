import type { Clock } from '../effects/clock.ts';
import { OriginError } from '../origins/failure.ts';
import type { Origin } from '../origins/origin.ts';
import type { OpenDriver, OriginDriver } from '../origins/request/driver.ts';

/** How long it is known that an origin carries a database, and that it does not. */
const YES_MS = 3_600_000;
const NO_MS = 600_000;

/**
 * Which origins carry which checksum databases, as far as this isolate knows.
 *
 * `<origin>/sumdb/<name>/supported` tells (https://go.dev/ref/mod#checksum-database). It is
 * requested before the first request to a carrier, so that the 404 with which other origins answer
 * every path never passes for the database's. An origin that does not carry the database is left
 * out: that is no failure of it. A request for this that fails is one, and nothing is remembered.
 */
export class CarrierSupport {
  readonly #known = new Map<string, { readonly carries: boolean; readonly until: number }>();
  readonly #clock: Pick<Clock, 'steady'>;

  constructor(clock: Pick<Clock, 'steady'>) {
    this.#clock = clock;
  }

  /** Whether an origin may be asked: false for a carrier that is known to carry nothing. */
  readonly mayAsk = (origin: Origin): boolean => this.#of(origin) !== false;

  /**
   * The drivers of one request: it asks each carrier once, however many tiles it reads at a time.
   * Requests cannot wait for one another in workerd.
   */
  openDriver(next: OpenDriver): OpenDriver {
    const asked = new Map<string, Promise<boolean>>();
    return (origin) => {
      const driver = next(origin);
      if (origin.carries === undefined) return driver;
      const { url } = origin;
      const ask = (): Promise<boolean> => {
        const running =
          asked.get(url) ?? this.#ask(origin, driver).finally(() => asked.delete(url));
        asked.set(url, running);
        return running;
      };
      return async (path, init) => {
        const carries = this.#of(origin) ?? (await ask());
        if (carries) return driver(path, init);
        throw new OriginError({ kind: 'not asked', because: 'it does not carry the database' });
      };
    };
  }

  #of({ carries, url }: Origin): boolean | undefined {
    if (carries === undefined) return true;
    const known = this.#known.get(url);
    return known && this.#clock.steady() < known.until ? known.carries : undefined;
  }

  /** The signal of one request does not end it: another one may wait for the same answer. */
  async #ask({ url }: Origin, driver: OriginDriver): Promise<boolean> {
    const connection = new AbortController();
    const { signal } = connection;
    const asking = driver('/supported', { headers: {}, signal });
    // A request that is given up would keep its connection at the platform.
    asking.catch((error: unknown) => connection.abort(error));
    const { body, ok, status } = await asking;
    await body?.cancel();
    if (status === 429 || status >= 500) throw new OriginError({ kind: 'status', status });
    this.#known.set(url, { carries: ok, until: this.#clock.steady() + (ok ? YES_MS : NO_MS) });
    return ok;
  }
}
