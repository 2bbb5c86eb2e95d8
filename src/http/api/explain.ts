import type { Handler } from 'hono';
import type { Explanation, PolicyFacts } from '../../access/policy/explain.ts';
import { clientOf, type UnknownPaths } from '../../access/unknown-paths.ts';
import { toPlainLine } from '../../bytes/plain-text.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { decodePath } from '../../module/decode-path.ts';
import {
  type ModulePath,
  parseModulePath,
  unescapeModulePath,
  versionFitsPath,
} from '../../module/module-path.ts';
import { parseVersion, unescapeVersionElement, type Version } from '../../module/version.ts';
import { replyError } from '../errors.ts';
import { refuse } from '../gate.ts';
import { type HttpEnv, reply } from '../reply.ts';
import { respondJson, respondLocally } from '../respond.ts';
import type { HttpServices } from '../services.ts';

const PATH = '/-/api/explain/';

/**
 * `GET /-/api/explain/<module>@<version>`: who has a version, what the log says of it, and which rule
 * lets it pass or not. Text, or JSON where Accept asks for it. For whoever may ask for the module.
 */
export function explainApi(services: HttpServices, unknownPaths: UnknownPaths): Handler<HttpEnv> {
  return async function handleExplain(c) {
    const text = decodePath(new URL(c.req.url).pathname)?.slice(PATH.length) ?? '';
    const subject = parseSubject(text);
    const isPrivate = services.isPrivate(subject.ok ? subject.value.module : namedIn(text));
    const refused = refuse(c, services, isPrivate ? 'private' : 'public');
    if (refused) return refused;
    if (!subject.ok) return replyError(c, services, { status: 400, text: subject.reason });
    const { module, version } = subject.value;
    const explanation = await services.explain(module, version, c.get('scope').context);
    const { name, outcome } = explanation.origin;
    const isUnknown = outcome === 'missing' && name !== undefined;
    const client = clientOf(c.get('caller'), c.req.header('CF-Connecting-IP'));
    const excess = isUnknown ? unknownPaths.excess({ client, path: text }) : undefined;
    if (excess) {
      const headers = { 'Retry-After': String(excess.seconds) };
      return replyError(c, services, { status: 429, text: excess.text, headers });
    }
    const options = { requestId: c.get('requestId') };
    const response = c.req.header('Accept')?.toLowerCase().includes('application/json')
      ? respondJson(200, explanation, options)
      : respondLocally(200, explanationText(explanation), options);
    return reply(c, services, { subject: { kind: 'explain', module, version }, response });
  };
}

interface ModuleVersion {
  readonly module: ModulePath;
  readonly version: Version;
}

/** Module and version may be escaped as in the paths of GOPROXY, or plain. */
function parseSubject(subject: string): Result<ModuleVersion> {
  const [, path = '', text = ''] = /^([^@]+)@(.+)$/.exec(subject) ?? [];
  const module = unescapeModulePath(path) ?? parseModulePath(path);
  const version = parseVersion(unescapeVersionElement(text) ?? text);
  if (!module || !version || !versionFitsPath(module, version)) {
    return failed(
      `cannot explain ${JSON.stringify(subject)}: write <module>@<version> with a whole version that fits the path, such as ${PATH}golang.org/x/text@v0.3.0`,
    );
  }
  return success({ module, version });
}

/** What a text names as its module, whether that is a module path or not. */
function namedIn(text: string): string {
  const [path = ''] = text.split('@', 1);
  return unescapeModulePath(path) ?? path;
}

function explanationText({ log, module, origin, policy, version }: Explanation): string {
  const lines = [
    `${module}@${version}`,
    `policy: ${verdictText(policy)}: ${policy.why}`,
    `origins: ${origin.text}`,
    `log: ${log.text}`,
  ];
  return lines.map((line) => `${toPlainLine(line)}\n`).join('');
}

function verdictText({ verdict }: PolicyFacts): string {
  return verdict === 'unlisted' ? 'left out of lists' : verdict;
}
