const SHOWN_BYTES = 200;

/**
 * Returns a name made fit for a message. Names reach terminals and logs, and the author of the zip
 * chose them: escape sequences, line breaks and marks that reverse the direction of text become
 * U+FFFD, as invalid UTF-8 does, and long names are cut.
 */
export function describeName(name: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(name.subarray(0, SHOWN_BYTES));
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return name.length > SHOWN_BYTES ? `${plain}…` : plain;
}

/** As `describeName`, for a name that was decoded. */
export function describePath(path: string): string {
  return describeName(new TextEncoder().encode(path));
}

/** Returns the start of most reasons: `entry "a/b.go"`. */
export function describeEntry({ name }: { readonly name: Uint8Array }): string {
  return `entry "${describeName(name)}"`;
}
