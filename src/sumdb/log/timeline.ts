/**
 * The tree heads of one log: each that is seen has to be on one timeline with all others.
 *
 * The latest one is kept in the durable tier. It only moves forward, by compare and swap, so that
 * all isolates are on one timeline. The platform takes one write a second to a key and charges for
 * each attempt, so an isolate moves it every five seconds at most. Until then a newer head is the
 * latest one of this isolate alone: what is seen next is compared with that.
 */
import type { VerifierKey } from '../../tlog/verifier-key.ts';
import type { LogEffects } from './log-effects.ts';
import type { LogMemory } from './log-memory.ts';
import { type LogVerifier, type Place, placeAlone } from './log-verifier.ts';
import { type Proof, proven, provenAlone, type Report, type TileProof } from './proof.ts';
import { inOrder, openHead, type SignedHead } from './signed-head.ts';

/** How often an isolate moves the common tree head, in milliseconds. */
const PUBLISH_INTERVAL_MS = 5_000;

export interface TimelineOptions {
  readonly key: VerifierKey;
  readonly memory: LogMemory;
  readonly effects: Pick<
    LogEffects,
    'readLatest' | 'swapLatest' | 'background' | 'clock' | 'observe'
  >;
  readonly verifier: LogVerifier;
  readonly report: Report;
}

/** The tree head that all isolates have in common, and the version that a swap takes. */
interface CommonHead {
  readonly head: SignedHead | undefined;
  readonly version: string | undefined;
}

export class Timeline {
  readonly #options: TimelineOptions;
  /** As it was read for the first proof of this isolate: the first swap takes it. */
  #common: CommonHead | undefined;

  constructor(options: TimelineOptions) {
    this.#options = options;
  }

  /** The latest tree head of this isolate, at first that of all. */
  async known(): Promise<SignedHead | undefined> {
    const { memory } = this.#options;
    if (memory.latest) return memory.latest;
    this.#common = await this.#readCommon();
    return (memory.latest ??= this.#common.head);
  }

  /** Takes a tree head into account: the latest one, which is `seen` itself if that is newer. */
  async merge(seen: SignedHead): Promise<Proof<SignedHead>> {
    const { adopt, compared } = await this.place(seen);
    const proof = await compared;
    if (proof.kind !== 'proven') return proof;
    const adopted = await adopt();
    if (adopted.kind === 'proven') proof.keepTiles();
    return adopted;
  }

  /** Takes the head that all isolates have in common into account: another one may have moved it. */
  async catchUp(): Promise<void> {
    const { head } = await this.#readCommon();
    if (head) this.#options.report(await this.merge(head));
  }

  /**
   * Whether a head that was the latest one is so still, or on the timeline of the latest one. False
   * when it was taken back: what was proven under it counts for nothing.
   */
  async stands(head: SignedHead): Promise<boolean> {
    const { memory, report } = this.#options;
    if (memory.latest) report(await this.#settle(memory.latest));
    return memory.latest === head || memory.isConsistent(head.head);
  }

  /** Begins to compare a tree head with the latest one. Nothing is remembered before `adopt`. */
  async place(seen: SignedHead): Promise<Place> {
    const known = await this.known();
    const adopt = async () => {
      const adopted = await this.#adopt(seen, known);
      if (adopted.kind === 'proven') this.#options.effects.observe?.(adopted.value.head.size);
      return adopted;
    };
    if (!known) return { ...(await placeAlone(seen)), adopt };
    const [, newest] = inOrder(known, seen);
    return { newest, compared: this.#compare(known, seen), adopt };
  }

  /** Remembers `seen`, which was proven to be one log with `known`. */
  async #adopt(seen: SignedHead, known: SignedHead | undefined): Promise<Proof<SignedHead>> {
    const { effects, memory } = this.#options;
    if (memory.latest !== known) return this.merge(seen); // another request was faster
    if (known) {
      const [older, newest] = inOrder(known, seen);
      memory.keepConsistent(older.head);
      if (newest === known) {
        const mayPublish = effects.clock.now() >= memory.nextPublishAt;
        return memory.isUnpublished && mayPublish ? this.#publish(known) : this.#settle(known);
      }
    }
    memory.latest = seen;
    memory.isCompared = false;
    return this.#publishInTurn(seen);
  }

  /**
   * The latest head, compared with the common one. Another request may have taken it over just now
   * and have that comparison before it; requests cannot wait for one another in workerd.
   */
  async #settle(latest: SignedHead): Promise<Proof<SignedHead>> {
    if (this.#options.memory.isCompared) return proven(latest);
    return this.#compareWithCommon(await this.#readCommon(), latest);
  }

  /**
   * Publishes a head at once, or what is the latest one then when it is this isolate's turn. It is
   * compared with the common one in either case: what is proven under it is stored for ever.
   */
  async #publishInTurn(seen: SignedHead): Promise<Proof<SignedHead>> {
    const { effects, memory } = this.#options;
    memory.isUnpublished = true;
    if (effects.clock.now() >= memory.nextPublishAt) return this.#publish(seen);
    const compared = await this.#compareWithCommon(await this.#readCommon(), seen);
    if (compared.kind === 'proven' && compared.value === seen) this.#planPublish();
    return compared;
  }

  #planPublish(): void {
    const { effects, memory, report } = this.#options;
    const { nextPublishAt: at } = memory;
    if (memory.plannedPublishAt === at) return;
    memory.plannedPublishAt = at;
    const publish = async () => {
      await effects.clock.sleep(at - effects.clock.now());
      this.#common = undefined;
      const { latest, nextPublishAt } = memory;
      // Unless another request has had the turn.
      if (latest && nextPublishAt === at) report(await this.#publish(latest));
    };
    effects.background('publish tree head', publish());
  }

  /** Moves the common tree head forward: the latest one, which another isolate may have moved. */
  async #publish(seen: SignedHead): Promise<Proof<SignedHead>> {
    const { effects, memory } = this.#options;
    memory.nextPublishAt = effects.clock.now() + PUBLISH_INTERVAL_MS;
    const common = this.#common ?? (await this.#readCommon());
    this.#common = undefined;
    const before = await this.#compareWithCommon(common, seen);
    if (before.kind !== 'proven' || before.value !== seen) return before;
    if (await effects.swapLatest(common.version, seen.note)) {
      if (memory.latest === seen) memory.isUnpublished = false;
      return before;
    }
    const after = await this.#compareWithCommon(await this.#readCommon(), seen);
    if (after.kind === 'proven' && after.value === seen) this.#planPublish(); // it is behind still
    return after;
  }

  /** Proves that `seen` is one log with what all isolates have in common: the newer head. */
  async #compareWithCommon(
    { head: common }: CommonHead,
    seen: SignedHead,
  ): Promise<Proof<SignedHead>> {
    const { memory } = this.#options;
    if (!common) {
      if (memory.latest === seen) memory.isCompared = true;
      return proven(seen);
    }
    const isNewest = common.head.size >= seen.head.size;
    // What all isolates have in common counts, whatever comes of the comparison.
    if (isNewest && memory.latest === seen) memory.goBackTo(common);
    const compared = await this.#compare(common, seen).catch((error: unknown) => {
      memory.goBackTo(common);
      throw error;
    });
    if (compared.kind === 'proven') {
      memory.keepConsistent(inOrder(common, seen)[0].head);
      compared.keepTiles();
      if (memory.latest === seen) memory.isCompared = true;
      if (isNewest) memory.isUnpublished = false;
      return isNewest ? proven(common) : compared;
    }
    memory.goBackTo(common);
    return compared;
  }

  /** Proves that two tree heads are one log at two times: the newer one. */
  async #compare(known: SignedHead, seen: SignedHead): Promise<TileProof<SignedHead>> {
    const { memory, verifier } = this.#options;
    const [older, newer] = inOrder(known, seen);
    if (memory.latest === newer && memory.isConsistent(older.head)) return provenAlone(newer);
    return verifier.compareHeads(older, newer);
  }

  async #readCommon(): Promise<CommonHead> {
    const { effects, key, report } = this.#options;
    const stored = await effects.readLatest();
    if (!stored) return { head: undefined, version: undefined };
    const opened = report(await openHead(stored.bytes, { key, path: 'latest' }));
    return { head: opened.kind === 'proven' ? opened.value : undefined, version: stored.known };
  }
}
