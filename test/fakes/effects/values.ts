import { type ModulePath, parseModulePath } from '../../../src/module/module-path.ts';
import { parseVersion, type Version } from '../../../src/module/version.ts';

/** A module path; throws when `text` is none. */
export function modulePath(text: string): ModulePath {
  const path = parseModulePath(text);
  if (path === undefined) throw new Error(`no module path: ${text}`);
  return path;
}

/** A canonical version; throws when `text` is none. */
export function version(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`no version: ${text}`);
  return parsed;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);
