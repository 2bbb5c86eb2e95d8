import type { Answer, Body } from '../origin/answer.ts';
import { type FakeServer, startFakeServer } from '../origin/fake-server.ts';
import type { FakeModule, FakeVersion } from '../origin/module.ts';

export interface GiteaOptions {
  /** The packages; the versions of each in the order in which they were uploaded. */
  readonly modules: readonly FakeModule[];
  /** The Authorization header that it wants. */
  readonly authorization: string;
  /** Lines of every list that are no versions, as older releases accepted them. */
  readonly junk?: readonly string[];
}

/** A Gitea, and the object storage to which it redirects for zips. */
export interface Gitea extends FakeServer {
  readonly storage: FakeServer;
  close(): Promise<void>;
}

const PREFIX = '/api/packages/acme/go';

/**
 * The Go packages of a Gitea or Forgejo (go-gitea/gitea, routers/api/packages/goproxy/goproxy.go):
 *
 * - paths are not unescaped: `!acme` is looked up as it is, and a name in any case of its letters;
 * - `list` is by time of upload and has pseudo-versions too, `@latest` is what was uploaded last;
 * - the Time of an `.info` has the offset of the server's zone;
 * - a zip is a 302 to a signed address of an object storage, which refuses a request that has an
 *   Authorization header besides its signature, as S3 does;
 * - `/sumdb/…` is a 404, and nothing is known of branches.
 */
export async function startGitea(options: GiteaOptions): Promise<Gitea> {
  const zips = new Map<string, Body>();
  const storage = await startFakeServer(({ headers, url }) => {
    if (headers.authorization !== undefined)
      return text(400, 'InvalidArgument: Only one auth mechanism allowed');
    const zip = zips.get(url);
    return zip === undefined ? text(403, 'AccessDenied') : file('application/zip', zip);
  });
  const packages = new Map(options.modules.map((module) => [module.path.toLowerCase(), module]));
  const server = await startFakeServer(({ headers, path }) => {
    if (headers.authorization !== options.authorization)
      return text(401, 'authentication required');
    const [, name = '', request = ''] =
      new RegExp(`^${PREFIX}/(.+)/(@latest|@v/[^/]+)$`).exec(path) ?? [];
    const found = packages.get(name.toLowerCase());
    if (!found) return text(404, 'package does not exist');
    return packageAnswer(
      found,
      request,
      (zip) => {
        const signed = `/bucket/${zips.size}.zip?X-Amz-Expires=300&X-Amz-Signature=s1gned`;
        zips.set(signed, zip);
        return { status: 302, headers: { location: storage.url + signed }, body: '' };
      },
      options.junk,
    );
  }, PREFIX);
  return {
    ...server,
    storage,
    async close() {
      await server.close();
      await storage.close();
    },
  };
}

function packageAnswer(
  { versions }: FakeModule,
  request: string,
  redirectTo: (zip: Body) => Answer,
  junk: readonly string[] = [],
): Answer {
  const uploaded = Object.keys(versions);
  if (request === '@v/list')
    return text(200, [...uploaded, ...junk].map((line) => `${line}\n`).join(''));
  const [, named = uploaded.at(-1) ?? '', kind = 'info'] =
    /^@v\/(.+)\.(info|mod|zip)$/.exec(request) ?? [];
  const version = uploaded.find((one) => one.toLowerCase() === named.toLowerCase());
  const files = version === undefined ? undefined : versions[version];
  if (version === undefined || !files) return text(404, 'package does not exist');
  if (kind === 'mod') return text(200, files.mod);
  return kind === 'zip' ? redirectTo(files.zip) : file('application/json', infoOf(version, files));
}

function infoOf(Version: string, { info }: FakeVersion): string {
  const { Time } = JSON.parse(info) as { Time: string };
  const local = new Date(Date.parse(Time) + 3_600_000).toISOString().replace('Z', '+01:00');
  return `${JSON.stringify({ Version, Time: local })}\n`;
}

function text(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain;charset=utf-8' }, body };
}

function file(type: string, body: Body): Answer {
  return { status: 200, headers: { 'content-type': type }, body };
}
