import type { SeenRequest } from '../fakes/origin/fake-server.ts';
import { matches } from '../fakes/origin/faults.ts';
import { findDifferences, findExcess } from './check-answer.ts';
import { findProblems, quoted } from './every-answer.ts';
import type { RawAnswer, RawOptions } from './raw-request.ts';
import type { RequestStep, Row, Sent, Step, Target, UpstreamName } from './row.ts';

/**
 * Runs one row at a target. Returns what is wrong with the first step at which something is, one
 * sentence each, and nothing when the target conforms.
 */
export async function runRow(row: Row, target: Target): Promise<readonly string[]> {
  for (const module of row.modules ?? []) target.publish(module);
  const run = new Run(row, target);
  try {
    for (const [at, step] of row.steps.entries()) {
      const problems = await run.step(step);
      if (problems.length > 0) return problems.map((problem) => `Step ${at + 1}: ${problem}`);
    }
    return [];
  } finally {
    await run.end();
  }
}

/** One run of a row: the answers so far, and what has to be undone. */
class Run {
  readonly #row: Row;
  readonly #target: Target;
  readonly #answers = new Map<string, RawAnswer>();
  readonly #requestsBefore: ReadonlySet<SeenRequest>;
  readonly #stopped = new Set<UpstreamName>();
  #firstEtag = '';

  constructor(row: Row, target: Target) {
    this.#row = row;
    this.#target = target;
    this.#requestsBefore = new Set(target.originRequests());
  }

  async step(step: Step): Promise<readonly string[]> {
    const target = this.#target;
    switch (step.do) {
      case 'request':
        return this.#request(step, this.#row.isIndependent ?? false);
      case 'requests':
        return (await Promise.all(step.together.map((one) => this.#request(one, true)))).flat();
      case 'fault':
        target.upstream(step.at).fault(step.fault, step.options);
        return [];
      case 'mend':
        target.mend();
        return [];
      case 'stop':
        await target.upstream(step.at).stop();
        this.#stopped.add(step.at);
        return [];
      case 'restart':
        await this.#restart(step.at);
        return [];
      case 'publish':
        target.publish(step.module);
        return [];
      case 'override':
        target.override(step.path, step.by);
        return [];
      case 'expire':
        await target.expire();
        return [];
      case 'empty':
        await target.empty();
        return [];
      case 'remove':
        await target.remove(step.key);
        return [];
      case 'near entry': {
        const seconds = await target.nearEntrySeconds(step.kind, step.key);
        if (step.seconds === undefined) return [];
        return findExcess(`seconds of ${step.key} in the near tier`, seconds, step.seconds);
      }
      case 'await keys':
        await target.awaitKeys(step.tier, step.keys);
        return [];
      case 'keys': {
        const found = (await target.keys(step.tier)).filter((key) => key.startsWith(step.prefix));
        return quoted(found) === quoted(step.keys)
          ? []
          : [`the ${step.tier} tier holds ${quoted(found)}, expected ${quoted(step.keys)}`];
      }
      case 'sent': {
        const found = this.#requestsSince(this.#requestsBefore).filter((request) =>
          matches(request, step.match),
        ).length;
        return findExcess(`requests to an upstream for ${String(step.match)}`, found, step.times);
      }
      default:
        return step satisfies never;
    }
  }

  /** Undoes what the next row would notice. */
  async end(): Promise<void> {
    for (const name of this.#stopped) await this.#restart(name);
    if (this.#row.isIndependent !== true) this.#target.reset();
  }

  /** Counts only the requests for its own path where others run meanwhile. */
  async #request(step: RequestStep, countsOwn: boolean): Promise<readonly string[]> {
    const { as, expected, method = 'GET', target, times = 1 } = step;
    const before = new Set(this.#target.originRequests());
    const options = this.#optionsOf(step);
    const answers = await Promise.all(
      Array.from({ length: times }, () => this.#target.request(target, options)),
    );
    const caused = this.#requestsSince(before).filter(
      (request) => !countsOwn || matches(request, target.split('?', 1)[0]),
    );
    const [first] = answers;
    if (first && as !== undefined) this.#answers.set(as, first);
    if (this.#firstEtag === '') this.#firstEtag = first?.headers['etag'] ?? '';
    const problems = [
      ...answers.flatMap((answer) =>
        findDifferences({ target, answer, earlier: this.#answers }, expected),
      ),
      ...answers.flatMap((answer) => findProblems(answer, method)),
      ...(expected.requests === undefined
        ? []
        : findExcess('requests to an upstream', caused.length, expected.requests)),
      ...(expected.names ? this.#nameDifferences(first, expected.names) : []),
      ...(expected.sent ? sentDifferences(caused.at(-1), expected.sent) : []),
    ];
    return problems.map((problem) => `${method} ${shortened(target)}: ${problem}`);
  }

  #optionsOf({ body, headers = {}, method }: RequestStep): RawOptions {
    const filled = Object.entries(headers).map(([name, value]) => [
      name,
      value.replaceAll('$etag', this.#firstEtag),
    ]);
    return {
      headers: Object.fromEntries(filled),
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
    };
  }

  #nameDifferences(answer: RawAnswer | undefined, name: UpstreamName): readonly string[] {
    const { host } = new URL(this.#target.upstream(name).url);
    const text = answer?.body.toString();
    return text?.includes(host) ? [] : [`the body is ${quoted(text)}, expected ${host} in it`];
  }

  #requestsSince(before: ReadonlySet<SeenRequest>): readonly SeenRequest[] {
    return this.#target.originRequests().filter((request) => !before.has(request));
  }

  async #restart(name: UpstreamName): Promise<void> {
    await this.#target.upstream(name).restart();
    this.#stopped.delete(name);
  }
}

function sentDifferences(request: SeenRequest | undefined, expected: Sent): readonly string[] {
  if (!request) return ['no request reached an upstream'];
  const { headerNames, target, without } = expected;
  const names = Object.keys(request.headers).toSorted();
  const headers = quoted(request.headers);
  return [
    ...(request.url === target
      ? []
      : [`the upstream was asked for ${quoted(request.url)}, expected ${quoted(target)}`]),
    ...(headerNames === undefined || quoted(names) === quoted(headerNames)
      ? []
      : [`the upstream got the headers ${quoted(names)}, expected ${quoted(headerNames)}`]),
    ...(without?.test(headers) ? [`the upstream got ${headers}`] : []),
  ];
}

function shortened(target: string): string {
  return target.length > 120 ? `${target.slice(0, 120)}…` : target;
}
