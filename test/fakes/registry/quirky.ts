import type { Answer, Body } from '../origin/answer.ts';
import { type FakeServer, startFakeServer } from '../origin/fake-server.ts';
import { escapeModule, type FakeModule } from '../origin/module.ts';

export interface QuirkyOptions {
  /** The modules; the versions of each in the order of their tags. */
  readonly modules: readonly FakeModule[];
  /** The Authorization header that it wants. */
  readonly authorization: string;
}

/** A registry with the quirks of several products. */
export interface Quirky extends FakeServer {
  /** Gives everybody without its credentials a login page instead of a 404. */
  showLogin(): void;
  /** Wants another Authorization header from now on. */
  expire(authorization: string): void;
}

const PREFIX = '/api/v4/projects/7/packages/go';
const SIGN_IN = '/users/sign_in';

/**
 * What GitLab, Artifactory, Nexus and Athens do, all at once:
 *
 * - there is no `@latest`, and `.info` for `vX.Y.Z…` alone;
 * - `list` is in the order of the tags and has no final line break;
 * - wrong credentials are a 404 for everything, or a redirect to a login page with status 200;
 * - errors are JSON, and the content types of `list` and `.info` are swapped.
 */
export async function startQuirky(options: QuirkyOptions): Promise<Quirky> {
  let { authorization } = options;
  let hasLogin = false;
  const modules = new Map(options.modules.map((one) => [escapeModule(one.path), one]));
  const server = await startFakeServer(({ headers, path }) => {
    if (path === SIGN_IN) return file('text/html', '<!DOCTYPE html>\n<title>Sign in</title>\n');
    if (headers.authorization !== authorization)
      return hasLogin
        ? { status: 302, headers: { location: SIGN_IN }, body: '' }
        : missing('404 Project Not Found');
    const [, escaped = '', request = ''] =
      new RegExp(`^${PREFIX}/(.+)/(@latest|@v/[^/]+)$`).exec(path) ?? [];
    const found = modules.get(escaped);
    return (found && moduleAnswer(found, request)) ?? missing('404 Not Found');
  }, PREFIX);
  return {
    ...server,
    showLogin: () => void (hasLogin = true),
    expire: (next) => void (authorization = next),
  };
}

function moduleAnswer({ versions }: FakeModule, request: string): Answer | undefined {
  if (request === '@v/list') return file('application/json', Object.keys(versions).join('\n'));
  const [, named = '', kind] = /^@v\/(v\d+\.\d+\.\d+[^/]*)\.(info|mod|zip)$/.exec(request) ?? [];
  const files = Object.entries(versions).find(([version]) => escapeModule(version) === named)?.[1];
  if (!files) return undefined;
  if (kind === 'mod') return file('text/plain', files.mod);
  return kind === 'zip' ? file('application/zip', files.zip) : file('text/plain', files.info);
}

function missing(message: string): Answer {
  return {
    status: 404,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  };
}

function file(type: string, body: Body): Answer {
  return { status: 200, headers: { 'content-type': type }, body };
}
