/**
 * The path of a file below an origin's base address, percent-encoded as the go command encodes it.
 *
 * `key` is the file's path in `$GOMODCACHE/cache/download`, where upper-case letters are escaped
 * with `!` already. Go's url.PathEscape writes `!` as `%21` and leaves `+` and `@` as they are.
 * Source: cmd/go/internal/modfetch/proxy.go, pathEscape.
 */
export function originPath(key: string): string {
  const escaped = encodeURIComponent(key).replaceAll(
    /%(2F|24|26|2B|3A|3D|40)/g,
    decodeURIComponent,
  );
  return `/${escaped.replaceAll(/[!'()*]/g, percentEncoded)}`;
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
