import type { SeenRequest } from '../fakes/origin/fake-server.ts';
import type { Fault, FaultOptions } from '../fakes/origin/faults.ts';
import type { FakeModule } from '../fakes/origin/module.ts';
import type { Override } from '../fakes/origin/origin.ts';
import type { RawAnswer, RawOptions } from './raw-request.ts';

// The rows of docs/conformance.md as data: requests, and what each has to be answered with. They
// need no test framework and no particular proxy; `runRow` runs one row at a Target.

/** A row, or several that one sequence of steps shows. */
export interface Row {
  /** Its number in docs/conformance.md, or the numbers. */
  readonly row: number | readonly number[];
  /** A claim in plain English. */
  readonly title: string;
  readonly steps: readonly Step[];
  /** Published before the first step; no other row uses them. */
  readonly modules?: readonly FakeModule[] | undefined;
  /**
   * Whether the row may run beside others. Its faults apply to its own modules alone, and of the
   * requests that reach an upstream those for the path of the step count. Default false.
   */
  readonly isIndependent?: boolean | undefined;
}

/** One request, and what its answer has to be. */
export interface RequestStep extends RawOptions {
  readonly do: 'request';
  /** Sent exactly as written; in a header's value `$etag` is the row's first ETag. */
  readonly target: string;
  /** As many equal requests at a time. Default 1. */
  readonly times?: number | undefined;
  /** A name for the answer, for `Expected.like` of a later step. */
  readonly as?: string | undefined;
  readonly expected: Expected;
}

export type Step =
  | RequestStep
  /** All at a time; each counts the requests for its own path. */
  | { readonly do: 'requests'; readonly together: readonly RequestStep[] }
  | {
      readonly do: 'fault';
      readonly at: UpstreamName;
      readonly fault: Fault;
      readonly options?: FaultOptions | undefined;
    }
  /** Switches every fault of every upstream off. */
  | { readonly do: 'mend' }
  | { readonly do: 'stop' | 'restart'; readonly at: UpstreamName }
  | { readonly do: 'publish'; readonly module: FakeModule }
  /** The origin answers a decoded path with something else. */
  | { readonly do: 'override'; readonly path: string; readonly by: Override }
  /** As if every entry of the near tier had expired. */
  | { readonly do: 'expire' }
  /** Empties every tier. */
  | { readonly do: 'empty' }
  /** Removes one file from the durable tier. */
  | { readonly do: 'remove'; readonly key: string }
  /** The near tier keeps an entry for at most, or exactly, so many seconds. */
  | {
      readonly do: 'near entry';
      readonly kind: NearKind;
      readonly key: string;
      readonly seconds?: Quantity | undefined;
    }
  /** A tier comes to hold these keys; some are written beside the answer. */
  | { readonly do: 'await keys'; readonly tier: Tier; readonly keys: readonly string[] }
  /** The keys below a prefix that a tier holds now, all of them. */
  | {
      readonly do: 'keys';
      readonly tier: Tier;
      readonly prefix: string;
      readonly keys: readonly string[];
    }
  /** How many requests since the row began had this in their target or decoded path. */
  | { readonly do: 'sent'; readonly match: string | RegExp; readonly times: Quantity };

/** A number, or an upper bound. */
export type Quantity = number | { readonly atMost: number };

export interface Expected {
  readonly status: number;
  /** Content-Type. */
  readonly type?: string | undefined;
  /** Cache-Control. */
  readonly cache?: string | undefined;
  /** The whole body, after its Content-Encoding was undone. */
  readonly body?: string | Uint8Array | undefined;
  /** The length of the body in bytes. */
  readonly bytes?: number | undefined;
  /** What a part of the body is. */
  readonly text?: string | RegExp | undefined;
  /** The upstream whose host the body names. */
  readonly names?: UpstreamName | undefined;
  /** `RequestStep.as` of an earlier answer whose bytes begin with this body. */
  readonly startOf?: string | undefined;
  /** The h1 hash of a .mod or .zip, by the end of the target. */
  readonly h1?: string | undefined;
  /** What the name of every entry of a zip begins with. */
  readonly entriesBelow?: string | undefined;
  /** Values of headers, in lower case; `undefined` where there must be none. */
  readonly headers?: Readonly<Record<string, string | RegExp | undefined>> | undefined;
  /** What it has in common with an earlier answer of the row. */
  readonly like?: Likeness | undefined;
  /** How many requests reach an upstream because of this step: `u0`, `u1`, … in the document. */
  readonly requests?: Quantity | undefined;
  /** The last of these requests. */
  readonly sent?: Sent | undefined;
  /** Whether the connection breaks before the body is whole. Default false. */
  readonly broken?: boolean | undefined;
}

export interface Likeness {
  /** `RequestStep.as` of the earlier answer. */
  readonly to: string;
  /** Whether the bytes are equal. Default true. */
  readonly body?: boolean | undefined;
  /** Headers with equal values; `lasting` means all that do not differ from answer to answer. */
  readonly headers?: readonly string[] | 'lasting' | undefined;
}

export interface Sent {
  /** Its raw target. */
  readonly target: string;
  /** The names of all of its headers, in order. */
  readonly headerNames?: readonly string[] | undefined;
  /** What none of its headers contains. */
  readonly without?: RegExp | undefined;
}

export type UpstreamName = 'origin' | 'database';
export type Tier = 'durable' | 'world';
/** A file, or the memory of a 404. */
export type NearKind = 'file' | 'missing';

/** A server behind the proxy, with fault switches. */
export interface Upstream {
  readonly url: string;
  fault(fault: Fault | undefined, options?: FaultOptions): void;
  /** Breaks every connection and refuses new ones. */
  stop(): Promise<void>;
  restart(): Promise<void>;
}

/** The proxy under test, the upstreams behind it and the tiers that it stores in. */
export interface Target {
  /** Sends a request exactly as written. */
  request(target: string, options?: RawOptions): Promise<RawAnswer>;
  /**
   * Every request that reached an upstream since the last reset: upstream by upstream, in order.
   */
  originRequests(): readonly SeenRequest[];
  /** Throws where the target has no such upstream. */
  upstream(name: UpstreamName): Upstream;
  /** The origin serves this module from now on. */
  publish(module: FakeModule): void;
  /** The origin answers a decoded path with something else. */
  override(path: string, by: Override): void;
  /** Switches every fault of every upstream off. */
  mend(): void;
  /** The same, and removes the overrides and the requests. */
  reset(): void;
  /** As if every entry of the near tier had expired. */
  expire(): Promise<void>;
  /** Empties every tier. */
  empty(): Promise<void>;
  /** Removes one file from the durable tier. */
  remove(key: string): Promise<void>;
  /** Waits until the near tier holds an entry, and returns its lifetime. */
  nearEntrySeconds(kind: NearKind, key: string): Promise<number>;
  /** Every key that a tier holds, in order. */
  keys(tier: Tier): Promise<readonly string[]>;
  /** Waits until a tier holds these keys. */
  awaitKeys(tier: Tier, keys: readonly string[]): Promise<void>;
}

/** The name under which every test runner reports the row. */
export function titleOf({ row, title }: Row): string {
  const rows = typeof row === 'number' ? [row] : row;
  const last = rows.at(-1);
  return rows.length === 1
    ? `row ${last}: ${title}`
    : `rows ${rows.slice(0, -1).join(', ')} and ${last}: ${title}`;
}
