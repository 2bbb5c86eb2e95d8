import type { OriginDriver } from './driver.ts';

/**
 * The driver of an origin that does not unescape paths: it finds `corp.example/Tool` below that name
 * and not below `corp.example/!tool`. What it does not have (404 or 410) under the path of the
 * protocol is requested once more with its upper-case letters. A path without any is requested
 * once.
 */
export function decodedDriver(next: OriginDriver): OriginDriver {
  return async function requestDecoded(path, init) {
    const response = await next(path, init);
    const decoded = withUpperCase(path);
    const isMissing = response.status === 404 || response.status === 410;
    if (!isMissing || decoded === path) return response;
    await response.body?.cancel();
    return next(decoded, init);
  };
}

/** `/corp.example/%21tool/@v/list` becomes `/corp.example/Tool/@v/list`. */
function withUpperCase(path: string): string {
  return path.replaceAll(/(?:%21|!)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
