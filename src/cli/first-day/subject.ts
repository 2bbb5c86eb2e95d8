import { failed, type Result, success } from '../../effects/result.ts';
import {
  describeBadModulePath,
  escapeModulePath,
  parseModulePath,
} from '../../module/module-path.ts';
import { escapeVersion, parseVersion } from '../../module/version.ts';
import type { Subject } from './check.ts';

type Named = Pick<Subject, 'address' | 'large' | 'module'>;

/** What the command line names, escaped as paths of requests are. */
export function parseSubject({ address, large, module }: Named): Result<Named> {
  const url = URL.parse(address);
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    return failed(
      `Cannot check ${JSON.stringify(address)}: write an address such as https://go.example.com`,
    );
  }
  // Not shown: it may hold a password.
  if (url.href !== `${url.origin}/`) {
    return failed(
      `Cannot check an address with a path, a query or credentials: write ${url.origin} alone`,
    );
  }
  const path = parseModulePath(module);
  if (!path) return failed(`Cannot fetch: ${describeBadModulePath(module)}`);
  const zip = large === undefined ? success(undefined) : parseLarge(large);
  if (!zip.ok) return zip;
  return success({ address: url.origin, module: escapeModulePath(path), large: zip.value });
}

function parseLarge(text: string): Result<string> {
  const at = text.lastIndexOf('@');
  const path = parseModulePath(text.slice(0, Math.max(at, 0)));
  const version = parseVersion(text.slice(at + 1));
  if (path && version) return success(`${escapeModulePath(path)}@${escapeVersion(version)}`);
  return failed(`Cannot fetch ${JSON.stringify(text)}: write <module>@<version>`);
}
