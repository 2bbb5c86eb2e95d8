/**
 * The ages of versions by the signed log (docs/decisions/034).
 *
 * A version is looked up once. What its age counts from is kept for ever then, in a document of its
 * module that isolates share, so that a list of a thousand versions costs one read. The versions of
 * a list that are not known yet are looked up newest first: some of them before the answer, the rest
 * behind it.
 */
import { within } from '../../effects/clock.ts';
import { beat } from '../../mirror/shared-fetch.ts';
import type { ModulePath } from '../../module/module-path.ts';
import { compareVersions, type Version } from '../../module/version.ts';
import { failureText } from '../../origins/failure.ts';
import type { Checksums, Expected } from '../../sumdb/checksums.ts';
import type { LogContext } from '../../sumdb/log-context.ts';
import type { LogObservations } from '../../sumdb/observations/log-observations.ts';
import { firstWith } from '../../sumdb/observations/observations.ts';
import type { Age, Ages, OpenAges } from '../policy/age.ts';
import { KnownAges, type KnownModule, type NoPlace } from './known-ages.ts';
import { ageOf, needsInfo, type Place } from './place.ts';

export interface AgesOptions {
  /** Names of the databases. */
  readonly databases: readonly string[];
  /** The look-ups of a request; of stored ones alone where it may not fetch. */
  readonly checksumsOf: (context: LogContext) => Checksums;
  /** What was observed of the log of a database. */
  readonly observationsOf: (database: string) => LogObservations;
  /**
   * The Time of a version's `.info`, in milliseconds since the epoch; Infinity where it has none, and
   * undefined where it cannot be read.
   */
  readonly infoTime: (
    module: ModulePath,
    version: Version,
    context: LogContext,
  ) => Promise<number | undefined>;
  readonly isPaidPlan: boolean;
}

/** The look-ups of a list. */
interface Pace {
  /** How many there are before the answer. */
  readonly atOnce: number;
  /** How many of them run side by side, and how many behind the answer. */
  readonly sideBySide: number;
  readonly sideBySideBehind: number;
}

/** The free plan has 50 external calls for a request, and a look-up takes up to eight. */
const FREE: Pace = { atOnce: 4, sideBySide: 4, sideBySideBehind: 1 };
const PAID: Pace = { atOnce: 32, sideBySide: 6, sideBySideBehind: 6 };

/** How long a list waits for look-ups, its own or those of another request for the same list. */
const LIST_WAIT_MS = 3_000;

/** How long an answer waits until what it counts from is kept. */
const SAVE_WAIT_MS = 2_000;

/** The platform ends what a request does behind its answer after 30 s; some of that is for a write. */
const BEHIND_MS = 20_000;

/** How old what other isolates wrote may be, where that would tell more. */
const READ_AGAIN_MS = 10_000;

/** Returns the function that opens the ages of a request, for one isolate. */
export function agesOpener(options: AgesOptions, clock: LogContext['clock']): OpenAges {
  const known = new KnownAges(clock);
  return (context) => new RequestAges(options, known, context);
}

class RequestAges implements Ages {
  readonly #options: AgesOptions;
  readonly #known: KnownAges;
  readonly #context: LogContext;
  readonly #databases: ReadonlySet<string>;

  constructor(options: AgesOptions, known: KnownAges, context: LogContext) {
    this.#options = options;
    this.#known = known;
    this.#context = context;
    this.#databases = new Set(options.databases);
  }

  async of(module: ModulePath, version: Version, minAgeMs: number): Promise<Age> {
    const known = this.#known.of(module);
    const task = { module, version, minAgeMs, known };
    if (!this.#isOld(task)) await known.read(READ_AGAIN_MS, this.#context);
    if (!this.#isOld(task)) {
      await this.#settle(task);
      await this.#save(known);
    }
    return this.#age(task);
  }

  /** Keeps what an answer counts from: a 403 says from when on, and that has to outlive a restart. */
  async #save(known: KnownModule): Promise<void> {
    const { background, clock } = this.#context;
    const { databases, observationsOf } = this.#options;
    const saving = Promise.all([
      ...databases.map((name) => observationsOf(name).save(this.#context)),
      known.write(this.#context),
    ]);
    background('write ages', saving);
    await within(clock, SAVE_WAIT_MS, saving).catch(() => undefined);
  }

  async ofAll(
    module: ModulePath,
    versions: readonly Version[],
    minAgeMs: number,
  ): Promise<ReadonlyMap<Version, Age>> {
    const known = this.#known.of(module);
    const tasks = versions.map((version) => ({ module, version, minAgeMs, known }));
    if (tasks.some((task) => !this.#isOld(task))) {
      await known.read(READ_AGAIN_MS, this.#context);
      await this.#settleAll(tasks.filter((task) => !this.#isOld(task)));
    }
    return new Map(tasks.map((task) => [task.version, this.#age(task)]));
  }

  /** Looks up what is not known of these versions of one module. One request does it for all. */
  async #settleAll(tasks: readonly Task[]): Promise<void> {
    const { background, clock } = this.#context;
    const { flights } = this.#known;
    const unknown = this.#inOrder(tasks);
    const [first] = unknown;
    if (!first) return;
    const { known, module } = first;
    const other = flights.join(module);
    if (other) {
      const shared = other.shared.then((value) => value);
      await within(clock, LIST_WAIT_MS, shared).catch(() => undefined);
      return other.leave();
    }
    const leader = flights.lead(module);
    void beat(leader, clock);
    const pace = this.#options.isPaidPlan ? PAID : FREE;
    const now = this.#inTurn(unknown.slice(0, pace.atOnce), pace.sideBySide, Infinity);
    const all = async () => {
      try {
        await now;
        leader.share(true);
        await this.#inTurn(unknown.slice(pace.atOnce), pace.sideBySideBehind, BEHIND_MS);
        await this.#save(known);
      } finally {
        leader.share(true);
        leader.end();
      }
    };
    background('look up ages', all());
    await within(clock, LIST_WAIT_MS, now).catch(() => undefined);
  }

  /** Newest first; those behind all others whose last look-up told nothing. */
  #inOrder(tasks: readonly Task[]): readonly Task[] {
    const now = this.#context.clock.now();
    const isTried = ({ known, version }: Task) => known.failure(version) !== undefined;
    return tasks
      .filter((task) => this.#isUnknown(task) && !task.known.hasJustFailed(task.version, now))
      .toSorted(
        (a, b) => Number(isTried(a)) - Number(isTried(b)) || compareVersions(b.version, a.version),
      );
  }

  /** So many at a time, while there are calls and time for them. */
  async #inTurn(tasks: readonly Task[], sideBySide: number, limitMs: number): Promise<void> {
    const { clock, hasSpareCalls } = this.#context;
    const left = [...tasks];
    const endsAt = clock.steady() + limitMs;
    const work = async () => {
      while (hasSpareCalls() && clock.steady() < endsAt) {
        const task = left.shift();
        if (!task) return;
        await this.#settle(task);
      }
    };
    await Promise.all(Array.from({ length: sideBySide }, work));
  }

  /** Finds out what is not known of a version's age, as far as that can be. Never rejects. */
  async #settle(task: Task): Promise<void> {
    try {
      const place = this.#place(task) ?? (await this.#lookUp(task));
      if (place) await this.#complete(place, task);
    } catch (error) {
      this.#context.emit({ event: 'trouble', label: 'ages', error });
      const why = 'modferry failed to look up how old it is: see its log';
      this.#fail(task, { kind: 'unknown', why });
    }
  }

  /** What a request that may not fetch could not find is looked up by the next one that may. */
  #fail({ known, version }: Task, age: NoPlace): void {
    known.keepFailure(version, age, this.#context.mayFetch ? this.#now : -Infinity);
  }

  async #lookUp(task: Task): Promise<Place | undefined> {
    const { known, module, version } = task;
    const expected = await this.#options.checksumsOf(this.#context).expect(module, version);
    if (expected.kind !== 'known') {
      this.#fail(task, this.#ageWithout(expected));
      return undefined;
    }
    const { database, record } = expected;
    // The tree that proves the record is an observation by now.
    const observations = await this.#observations(database);
    const first = observations && firstWith(record, observations);
    if (!first) {
      const why = `since when ${database} has it cannot be told: what was observed of its log cannot be read now`;
      this.#fail(task, { kind: 'unknown', why });
      return undefined;
    }
    const infoAt = first === observations[0] ? 'unread' : undefined;
    const place: Place = { database, record, observedAt: first.at, infoAt };
    known.keep(version, place);
    return place;
  }

  /** Adds what has become known of a young version's place. */
  async #complete(place: Place, task: Task): Promise<void> {
    const { known, minAgeMs, module, version } = task;
    const observations = await this.#observations(place.database);
    const first = observations && firstWith(place.record, observations);
    // Another isolate may have observed it before.
    const observedAt = Math.min(place.observedAt, first?.at ?? Infinity);
    let complete = observedAt < place.observedAt ? { ...place, observedAt } : place;
    const isInfoNeeded = needsInfo(complete, minAgeMs, this.#now);
    const infoAt = isInfoNeeded
      ? await this.#options.infoTime(module, version, this.#context)
      : undefined;
    if (infoAt !== undefined) complete = { ...complete, infoAt: Math.min(infoAt, observedAt) };
    if (complete !== place) known.keep(version, complete);
    if (isInfoNeeded && infoAt === undefined) this.#fail(task, NO_INFO);
  }

  #observations(database: string) {
    return this.#options.observationsOf(database).read(READ_AGAIN_MS, this.#context);
  }

  /** What a database said that is configured no more does not count. */
  #place({ known, version }: Task): Place | undefined {
    const place = known.place(version);
    return place && this.#databases.has(place.database) ? place : undefined;
  }

  #isOld(task: Task): boolean {
    const place = this.#place(task);
    return place !== undefined && ageOf(place, task.minAgeMs, this.#now).kind === 'old';
  }

  #isUnknown(task: Task): boolean {
    const place = this.#place(task);
    return !place || needsInfo(place, task.minAgeMs, this.#now);
  }

  #age(task: Task): Age {
    const place = this.#place(task);
    return place && !needsInfo(place, task.minAgeMs, this.#now)
      ? ageOf(place, task.minAgeMs, this.#now)
      : (task.known.failure(task.version) ?? NOT_YET);
  }

  get #now(): number {
    return this.#context.clock.now();
  }

  #ageWithout(expected: Exclude<Expected, { readonly kind: 'known' }>): NoPlace {
    if (expected.kind === 'unknown') return { kind: 'unknown', why: whyUnknown(expected) };
    const names = this.#options.databases.join(' and ');
    const why =
      names === ''
        ? 'no checksum database is configured that would say how old it is'
        : `${names} has no record of it, which would say how old it is`;
    return { kind: 'uncovered', why };
  }
}

const NOT_YET: Age = {
  kind: 'unknown',
  why: 'how old it is is being looked up: try again in a few seconds',
};

const NO_INFO: NoPlace = {
  kind: 'unknown',
  why: 'it is older than all that was observed of the log, and its .info, which says how old, cannot be read now',
};

/** A version whose age is asked for. */
interface Task {
  readonly module: ModulePath;
  readonly version: Version;
  readonly minAgeMs: number;
  readonly known: KnownModule;
}

function whyUnknown({ failures }: Extract<Expected, { readonly kind: 'unknown' }>): string {
  const texts = failures.map(({ origin, reason }) => `${origin}: ${failureText(reason)}`);
  return `how old it is cannot be looked up now: ${texts.join('; ')}`;
}
