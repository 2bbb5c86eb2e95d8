import { maskControls } from '../../bytes/plain-text.ts';

const SHOWN_BYTES = 200;

/**
 * Returns a name made fit for a message. The author of the zip chose it, and it reaches terminals
 * and logs: what could steer one becomes U+FFFD, as invalid UTF-8 does, and a long name is cut.
 */
export function describeName(name: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(name.subarray(0, SHOWN_BYTES));
  const plain = maskControls(text);
  return name.length > SHOWN_BYTES ? `${plain}…` : plain;
}

/** As `describeName`, for a name that is decoded already. */
export function describePath(path: string): string {
  return describeName(new TextEncoder().encode(path));
}

/** Returns the start of most reasons: `entry "a/b.go"`. */
export function describeEntry({ name }: { readonly name: Uint8Array }): string {
  return `entry "${describeName(name)}"`;
}
