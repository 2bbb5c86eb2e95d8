import { createHash } from 'node:crypto';
import { type Answer, type Body, isStreamed, textAnswer } from './answer.ts';
import { type FakeServer, startFakeServer } from './fake-server.ts';
import type { FakeModule } from './module.ts';

/**
 * An origin that makes a module when it is requested, for more modules than fit in memory. It
 * serves the three files of a version, and no lists. Paths must be lower case, so that they equal
 * their escaped form.
 */
export function startLazyOrigin(
  find: (path: string) => FakeModule | undefined,
): Promise<FakeServer> {
  return startFakeServer(({ path }) => {
    const [, module = '', version = '', kind = ''] =
      /^\/([^@]+)\/@v\/(.+)\.(info|mod|zip)$/.exec(path) ?? [];
    const files = find(module)?.versions[version];
    if (files === undefined) return textAnswer(404, `not found: ${path.slice(1)}`);
    if (kind === 'zip') return found('application/zip', files.zip);
    if (kind === 'mod') return found('text/plain; charset=UTF-8', files.mod);
    return found('application/json', files.info);
  });
}

function found(type: string, body: Body): Answer {
  const hash = createHash('sha256').update(isStreamed(body) ? `streamed ${body.size}` : body);
  return {
    status: 200,
    headers: {
      'content-type': type,
      'cache-control': 'public, max-age=10800',
      etag: `"${hash.digest('hex')}"`,
      'accept-ranges': 'bytes',
    },
    body,
  };
}
