import { isConfidential } from '../../access/caller.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import type { HostedVersion } from '../../hosted/hosted-version.ts';
import {
  describeBadModulePath,
  parseModulePath,
  versionFitsPath,
} from '../../module/module-path.ts';
import { parseVersion } from '../../module/version.ts';

/** The variable of the environment with the address, where the command line has none. */
export const URL_VARIABLE = 'MODFERRY_URL';

/** Parses `module@version`, which must fit each other. */
export function parseVersionName(text: string): Result<HostedVersion> {
  const at = text.lastIndexOf('@');
  const path = text.slice(0, Math.max(at, 0));
  const module = parseModulePath(path);
  const version = parseVersion(text.slice(at + 1));
  if (at < 1 || !version)
    return failed(`Cannot publish ${JSON.stringify(text)}: write <module>@v1.2.3`);
  if (!module) return failed(`Cannot publish: ${describeBadModulePath(path)}`);
  return versionFitsPath(module, version)
    ? success({ module, version })
    : failed(`Cannot publish ${text}: the major version does not fit the module path`);
}

/** Parses the address of modferry, to which a token may be sent. */
export function parseAddress(text: string | undefined): Result<string> {
  if (!text)
    return failed(
      `Cannot publish: name modferry with --url https://go.example.com or ${URL_VARIABLE}`,
    );
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol))
    return failed(
      `Cannot publish to ${JSON.stringify(text)}: write an address such as https://go.example.com`,
    );
  // Not shown: it may hold a password.
  if (url.href !== `${url.origin}/`)
    return failed(
      `Cannot publish to an address with a path, a query or credentials: write ${url.origin} alone`,
    );
  return isConfidential(url)
    ? success(url.origin)
    : failed(`Cannot send a token to ${url.origin}, where everybody between reads it: use https`);
}
