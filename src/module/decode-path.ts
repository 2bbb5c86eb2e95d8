/** Longer paths name nothing that a go command would ask for; R2 keys end at 1,024 bytes anyway. */
const MAX_PATH_LENGTH = 2048;

/**
 * Undoes the percent-encoding of a URL's path: exactly once, and never `+` to a space. The go
 * command sends `!` as `%21` to module endpoints and as `!` to a checksum database, other clients
 * as they like: both mean the same.
 *
 * Returns undefined for what no endpoint has: empty elements, an encoded slash, backslash or NUL
 * (which would move between elements after decoding), broken encoding, and overlong paths.
 */
export function decodePath(pathname: string): string | undefined {
  if (pathname.length > MAX_PATH_LENGTH || pathname.includes('//') || /%(2f|5c|00)/i.test(pathname))
    return undefined;
  try {
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
}
