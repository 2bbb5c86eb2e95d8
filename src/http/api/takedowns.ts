import type { Handler } from 'hono';
import { decodePath } from '../../module/decode-path.ts';
import { unescapeModulePath } from '../../module/module-path.ts';
import { parseVersion, unescapeVersionElement } from '../../module/version.ts';
import { isInForce, type Takedown, versionOf } from '../../store/takedowns.ts';
import { replyError } from '../errors.ts';
import { type HttpEnv, reply } from '../reply.ts';
import { respondJson } from '../respond.ts';
import type { HttpServices } from '../services.ts';
import { replyNoContent } from './no-content.ts';
import { record } from './record.ts';

const PATH = '/-/api/takedowns/';

const UNREADABLE = 'the takedowns cannot be read just now: try again';
const UNWRITTEN =
  'the takedown is lifted here, and cannot be written for others just now: try again';

/** `GET /-/api/takedowns`: the versions that are taken down, the newest last. */
export function listTakedowns(services: HttpServices): Handler<HttpEnv> {
  return async function handleTakedowns(c) {
    const all = await c.get('scope').context.store.marks.takedowns();
    if (!all) return replyError(c, services, { status: 503, text: UNREADABLE });
    const shown = all
      .filter(isInForce)
      .toSorted((a, b) => a.since - b.since)
      .map(({ module, version, origin, since }) => ({
        module,
        version,
        origin,
        since: new Date(since).toISOString(),
      }));
    const response = respondJson(200, shown, { requestId: c.get('requestId') });
    return reply(c, services, { subject: { kind: 'takedowns' }, response });
  };
}

/** `DELETE /-/api/takedowns/<escaped module>@<escaped version>`: lifts a takedown. */
export function liftTakedown(services: HttpServices): Handler<HttpEnv> {
  return async function handleLift(c) {
    const named = versionIn(new URL(c.req.url).pathname);
    if (!named) {
      const text = 'bad request: write <escaped module path>@<escaped version>';
      return replyError(c, services, { status: 400, text });
    }
    const { marks } = c.get('scope').context.store;
    if (!(await marks.takedowns()))
      return replyError(c, services, { status: 503, text: UNREADABLE });
    const known = marks.takedown(named);
    const subject = versionOf(named);
    if (!known || !isInForce(known)) {
      const text = `not found: ${subject} is not taken down`;
      return replyError(c, services, { status: 404, text });
    }
    const isWritten = await marks.write({ ...known, liftedAt: services.clock.now() });
    record(c, 'lift-takedown', subject);
    if (!isWritten) return replyError(c, services, { status: 503, text: UNWRITTEN });
    return replyNoContent(c, services, { kind: 'takedowns', ...named });
  };
}

function versionIn(pathname: string): Pick<Takedown, 'module' | 'version'> | undefined {
  const text = decodePath(pathname)?.slice(PATH.length) ?? '';
  // A module path has no `@`.
  const at = text.indexOf('@');
  const module = unescapeModulePath(text.slice(0, Math.max(at, 0)));
  const version = parseVersion(unescapeVersionElement(text.slice(at + 1)) ?? '');
  return module && version && { module, version };
}
