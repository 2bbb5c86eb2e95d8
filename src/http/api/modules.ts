import type { Context, Handler, Hono } from 'hono';
import { failed, type Result, success } from '../../effects/result.ts';
import { parseModuleRequest } from '../../goproxy/request.ts';
import type { HostedVersion } from '../../hosted/hosted-version.ts';
import { publishVersion, type Publication } from '../../hosted/publish.ts';
import { isHosted, removeHosted } from '../../hosted/remove.ts';
import type { ModulePath } from '../../module/module-path.ts';
import { matches } from '../../module/patterns.ts';
import { parseVersion } from '../../module/version.ts';
import { declaredLength } from '../../origins/request/body-reader.ts';
import { purgeModule, purgeVersion, refreshModule } from '../../operations/purge.ts';
import { MAX_ZIP_BYTES } from '../../zip/rules/sizes.ts';
import { type ErrorAnswer, replyError } from '../errors.ts';
import { gate } from '../gate.ts';
import { type HttpEnv, reply } from '../reply.ts';
import { respondJson } from '../respond.ts';
import type { HttpServices } from '../services.ts';
import { replyNoContent } from './no-content.ts';
import { record } from './record.ts';

const ROOT = '/-/api/modules';
const PATHS = `${ROOT}/*`;

const UNREADABLE: ErrorAnswer = {
  status: 503,
  text: 'the store cannot be read or written just now: try again',
  headers: { 'Retry-After': '5' },
};

/** Hosted modules, and what is stored of others: publish, delete, refresh. */
export function modulesApi(app: Hono<HttpEnv>, services: HttpServices): void {
  app.put(PATHS, gate(services, 'publish'), publish(services));
  app.delete(PATHS, gate(services, 'admin'), remove(services));
  app.post(PATHS, gate(services, 'admin'), refresh(services));
  app.all(PATHS, gate(services, 'admin'), (c) => {
    const text =
      'method not allowed: PUT publishes a version, DELETE removes one, POST …/refresh asks the origins anew';
    return replyError(c, services, { status: 405, text, headers: { Allow: 'PUT, DELETE, POST' } });
  });
}

/** PUT `<module>/@v/<version>.zip`. */
function publish(services: HttpServices): Handler<HttpEnv> {
  return async function handlePublish(c) {
    const { body } = c.req.raw;
    const refuse = async (answer: ErrorAnswer) => {
      await body?.cancel().catch(() => undefined);
      return replyError(c, services, answer);
    };
    const path = pathOf(c);
    const parsed = path.endsWith('.zip')
      ? parseVersionPath(path.slice(0, -'.zip'.length))
      : failed<ErrorAnswer>({ status: 400, text: 'publish to <module>/@v/<version>.zip' });
    const problem = parsed.ok ? mayNotPublish(c, services, parsed.value) : parsed.reason;
    if (!parsed.ok || problem) return refuse(problem ?? UNREADABLE);
    if (!body) return refuse({ status: 422, text: 'there is no body: send the zip of the module' });
    const declaredBytes = declaredLength(c.req.raw.headers);
    const published = await publishVersion(
      parsed.value,
      { body, declaredBytes },
      c.get('scope').context,
    );
    if (published.kind !== 'published' && published.kind !== 'unchanged')
      return replyError(c, services, errorOf(published, subjectOf(parsed.value)));
    const isNew = published.kind === 'published';
    if (isNew) record(c, 'publish-version', subjectOf(parsed.value));
    const answer = { ...parsed.value, h1: published.h1 };
    const options = { requestId: c.get('requestId') };
    const response = respondJson(isNew ? 201 : 200, answer, options);
    return reply(c, services, { subject: { kind: 'publish', ...parsed.value }, response });
  };
}

/** Why a caller may not publish this; undefined where it may. */
function mayNotPublish(
  c: Context<HttpEnv>,
  services: HttpServices,
  { module }: HostedVersion,
): ErrorAnswer | undefined {
  const caller = c.get('caller');
  if (caller.kind === 'holder' && caller.modules && !matches(caller.modules, module)) {
    const text = `forbidden: the token ${JSON.stringify(caller.name)} may publish other modules alone, and not ${module}`;
    return { status: 403, text };
  }
  if (services.isPrivate(module)) return undefined;
  const text = `${module} is not private here, and only private modules are hosted: add it to PRIVATE`;
  return { status: 422, text };
}

function errorOf(
  published: Exclude<Publication, { kind: 'published' } | { kind: 'unchanged' }>,
  subject: string,
): ErrorAnswer {
  switch (published.kind) {
    case 'taken': {
      const text = published.hasSameFiles
        ? `${subject} is there with other bytes, a zip of the same files: it stays, and nothing is to be done`
        : `${subject} is there with other bytes, and a version never changes: publish the next one`;
      return { status: 409, text };
    }
    case 'held': {
      const seconds = Math.ceil(published.forMs / 1000);
      const text = `${subject} is being published with other bytes, or that was broken off: try again in ${seconds} s`;
      return { status: 409, text, headers: { 'Retry-After': String(seconds) } };
    }
    case 'invalid':
      return { status: 422, text: `${subject} is not published: ${published.why}` };
    case 'no store': {
      const text =
        'there is no bucket to keep a module in: bind an R2 bucket as FILES (npm run deploy makes one)';
      return { status: 503, text };
    }
    case 'not staged':
      switch (published.why) {
        case 'too large': {
          const text = `a module zip has at most ${MAX_ZIP_BYTES} bytes: the go command reads no larger one`;
          return { status: 413, text };
        }
        case 'broken off':
          return { status: 400, text: 'the body broke off: send the zip again' };
        case 'store failed':
          return UNREADABLE;
      }
  }
}

/** DELETE `<module>/@v/<version>`, with `?force=true` for a hosted one, and DELETE `<module>`. */
function remove(services: HttpServices): Handler<HttpEnv> {
  return async function handleRemove(c) {
    const { context } = c.get('scope');
    const path = pathOf(c);
    if (!path.includes('/@')) {
      const module = parseModule(path);
      if (!module.ok) return replyError(c, services, module.reason);
      await purgeModule(module.value, context);
      record(c, 'delete-module', module.value);
      return replyNoContent(c, services, { kind: 'delete', module: module.value });
    }
    const parsed = parseVersionPath(path);
    if (!parsed.ok) return replyError(c, services, parsed.reason);
    const { module, version } = parsed.value;
    const subject = subjectOf(parsed.value);
    const isForced = new URL(c.req.url).searchParams.get('force') === 'true';
    const hosted = await isHosted(parsed.value, context);
    if (hosted === undefined) return replyError(c, services, UNREADABLE);
    if (hosted && !isForced) {
      const text = `${subject} is hosted here, and nobody else may have it: add ?force=true to delete it`;
      return replyError(c, services, { status: 409, text });
    }
    if (isForced && !(await removeHosted(parsed.value, context)))
      return replyError(c, services, UNREADABLE);
    const wasStored = await purgeVersion(module, version, context);
    if (!hosted && !wasStored) {
      const text = `not found: nothing is stored of ${subject}`;
      return replyError(c, services, { status: 404, text });
    }
    record(c, 'delete-version', subject);
    return replyNoContent(c, services, { kind: 'delete', module, version });
  };
}

const REFRESH = '/refresh';

/** POST `<module>/refresh`. */
function refresh(services: HttpServices): Handler<HttpEnv> {
  return async function handleRefresh(c) {
    const path = pathOf(c);
    if (!path.endsWith(REFRESH)) {
      const text = 'not found: POST <module>/refresh asks the origins anew';
      return replyError(c, services, { status: 404, text });
    }
    const module = parseModule(path.slice(0, -REFRESH.length));
    if (!module.ok) return replyError(c, services, module.reason);
    await refreshModule(module.value, c.get('scope').context);
    record(c, 'refresh-module', module.value);
    return replyNoContent(c, services, { kind: 'refresh', module: module.value });
  };
}

/** The path below the root of these routes, still percent-encoded. */
function pathOf(c: Context<HttpEnv>): string {
  return new URL(c.req.url).pathname.slice(ROOT.length);
}

/** Parses `/<escaped module>/@v/<escaped version>`. */
function parseVersionPath(path: string): Result<HostedVersion, ErrorAnswer> {
  const request = parseModuleRequest(`${path}.info`);
  if (!request.ok) return failed({ status: 400, text: request.reason });
  if (request.value.kind === 'info') return success(versionOf(request.value));
  const text = request.value.kind === 'query' ? request.value.query : '';
  return parseVersion(text)
    ? failed({
        status: 422,
        text: `${text} is no version of ${request.value.module}: the major version does not fit the path`,
      })
    : failed({
        status: 400,
        text: `${JSON.stringify(text)} is no canonical version: write v1.2.3`,
      });
}

function versionOf({ module, version }: HostedVersion): HostedVersion {
  return { module, version };
}

/** Parses `/<escaped module>`. */
function parseModule(path: string): Result<ModulePath, ErrorAnswer> {
  const request = parseModuleRequest(`${path}/@v/list`);
  return request.ok ? success(request.value.module) : failed({ status: 400, text: request.reason });
}

function subjectOf({ module, version }: HostedVersion): string {
  return `${module}@${version}`;
}
