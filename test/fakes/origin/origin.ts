import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { type Answer, type Body, isStreamed, textAnswer } from './answer.ts';
import { type FakeServer, startFakeServer } from './fake-server.ts';
import { escapeModule, type FakeModule, filePath } from './module.ts';

export interface OriginOptions {
  /** The modules that are served at the start. */
  readonly modules?: readonly FakeModule[];
  /**
   * A `$GOMODCACHE/cache/download` tree that is served too. Modules and overrides take precedence.
   */
  readonly directory?: string;
  /** A prefix of every path, such as `/goproxy`. Default none. */
  readonly prefix?: string;
  /** A checksum database below `/sumdb/<name>/`, as some proxies carry one. */
  readonly carries?: CarriedDatabase;
}

export interface CarriedDatabase {
  readonly name: string;
  /** The body for a path such as `/latest`; undefined for a 404. */
  answer(path: string): Body | undefined;
}

/** An answer that replaces the one of the modules. */
export interface Override {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
}

/** A GOPROXY whose answers have the form of those of proxy.golang.org. */
export interface FakeOrigin extends FakeServer {
  /** Serves a module. Replaces one with the same path. */
  add(module: FakeModule): void;
  /** Replaces the answer of a decoded path such as `/example.com/hello/@v/list`. */
  set(path: string, override: Override): void;
  /** Answers 404 for a decoded path. */
  remove(path: string): void;
  /** Clears requests, faults, `set` and `remove`. The modules stay. */
  reset(): void;
}

/** Starts an origin on loopback. The caller closes it. */
export async function startOrigin(options: OriginOptions = {}): Promise<FakeOrigin> {
  const { prefix = '' } = options;
  const modules = new Map((options.modules ?? []).map((module) => [module.path, module]));
  const overrides = new Map<string, Answer>();
  let catalogue = catalogueOf(modules.values());

  const server = await startFakeServer(({ path }) => {
    if (!path.startsWith(`${prefix}/`)) return notFound(path);
    const local = path.slice(prefix.length);
    // `/cached-only` answers from the cache only; here everything counts as cached.
    const key = local.startsWith('/cached-only/') ? local.slice('/cached-only'.length) : local;
    return (
      overrides.get(key) ??
      catalogue.get(key) ??
      carriedAnswer(options.carries, key) ??
      fileAnswer(options.directory, key) ??
      notFound(key)
    );
  }, prefix);

  return {
    ...server,
    add(module) {
      modules.set(module.path, module);
      catalogue = catalogueOf(modules.values());
    },
    set: (path, { status = 200, headers = {}, body = '' }) =>
      void overrides.set(path, { status, headers, body }),
    remove: (path) => void overrides.set(path, textAnswer(404, 'not found: removed', NEGATIVE)),
    reset() {
      server.reset();
      overrides.clear();
    },
  };
}

/** The answers of an origin with these modules, by path and without a server. */
export function answersOf(modules: Iterable<FakeModule>): (path: string) => Answer {
  const catalogue = catalogueOf(modules);
  return (path) => catalogue.get(path) ?? notFound(path);
}

const NEGATIVE = { 'cache-control': 'public, max-age=60' };
const MUTABLE = 'public, max-age=60';
const LASTING = 'public, max-age=10800';
const TEXT = 'text/plain; charset=UTF-8';
const JSON_TYPE = 'application/json';

function notFound(path: string): Answer {
  const escaped = /^\/(.*)\/@/.exec(path)?.[1] ?? path.slice(1);
  const text = /[A-Z]/.test(escaped)
    ? `bad request: invalid escaped module path "${escaped}"`
    : `not found: module ${escaped}: no matching versions`;
  return textAnswer(404, text, NEGATIVE);
}

function catalogueOf(modules: Iterable<FakeModule>): Map<string, Answer> {
  const answers = new Map<string, Answer>();
  for (const module of modules) {
    const root = `/${escapeModule(module.path)}`;
    answers.set(`${root}/@v/list`, found(TEXT, MUTABLE, module.list));
    if (module.latest !== undefined)
      answers.set(`${root}/@latest`, found(JSON_TYPE, MUTABLE, module.latest));
    for (const [query, info] of Object.entries(module.queries)) {
      answers.set(filePath(module.path, query, 'info'), found(JSON_TYPE, MUTABLE, info));
    }
    for (const [version, { info, mod, zip }] of Object.entries(module.versions)) {
      answers.set(filePath(module.path, version, 'info'), found(JSON_TYPE, LASTING, info));
      answers.set(filePath(module.path, version, 'mod'), found(TEXT, LASTING, mod));
      answers.set(filePath(module.path, version, 'zip'), found('application/zip', LASTING, zip));
    }
  }
  return answers;
}

function found(type: string, cacheControl: string, body: Body): Answer {
  return {
    status: 200,
    headers: {
      'content-type': type,
      'cache-control': cacheControl,
      etag: `"${createHash('sha256')
        .update(isStreamed(body) ? `streamed ${body.size}` : body)
        .digest('hex')}"`,
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
    },
    body,
  };
}

function carriedAnswer(database: CarriedDatabase | undefined, path: string): Answer | undefined {
  if (!database || !path.startsWith(`/sumdb/${database.name}/`)) return undefined;
  const local = path.slice(`/sumdb/${database.name}`.length);
  const body = local === '/supported' ? '' : database.answer(local);
  return body === undefined ? undefined : found(TEXT, MUTABLE, body);
}

/** A file of the directory; undefined where there is none, or where the path leads outside. */
function fileAnswer(directory: string | undefined, path: string): Answer | undefined {
  if (directory === undefined) return undefined;
  const file = join(directory, path);
  if (
    !file.startsWith(join(directory, sep)) ||
    statSync(file, { throwIfNoEntry: false })?.isFile() !== true
  ) {
    return undefined;
  }
  const body = readFileSync(file);
  if (path.endsWith('.zip')) return found('application/zip', LASTING, body);
  if (path.endsWith('/@latest')) return found(JSON_TYPE, MUTABLE, body.toString());
  if (path.endsWith('.info')) return found(JSON_TYPE, LASTING, body.toString());
  return found(TEXT, path.endsWith('/list') ? MUTABLE : LASTING, body.toString());
}
