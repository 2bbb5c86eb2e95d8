import { toPlainLine } from '../bytes/plain-text.ts';

/**
 * The most bytes of an error text. The go command shows at most 8 lines and 648 bytes, and nothing
 * of a text with a control character.
 */
const MAX_BYTES = 590;

/**
 * One line of plain text for the go command: `text` without control characters and line ends, cut
 * to fit, and the request id. Source of the limits: cmd/go/internal/web/api.go.
 */
export function errorText(text: string, requestId: string): string {
  const end = ` (request ${requestId})\n`;
  return cut(toPlainLine(text), MAX_BYTES - end.length) + end;
}

function cut(text: string, maxBytes: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxBytes) return text;
  // A character that is cut in the middle decodes to U+FFFD, which is removed.
  const kept = new TextDecoder().decode(bytes.subarray(0, maxBytes - 3)).replace(/\uFFFD+$/, '');
  return `${kept}…`;
}
