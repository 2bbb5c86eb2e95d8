/**
 * In characters. Longer paths name nothing that a go command requests, and R2 keys end at 1,024
 * bytes.
 */
const MAX_PATH_LENGTH = 2048;

/**
 * Undoes the percent-encoding of a URL's path, exactly once; `+` stays `+`. The go command sends
 * `!` as `%21` to module endpoints and as `!` to a checksum database. Other clients send either;
 * both mean the same.
 *
 * Returns undefined for paths that no endpoint has: with empty elements, with an encoded slash,
 * backslash or NUL (decoding would move the bounds of elements), with broken encoding, or too long.
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
