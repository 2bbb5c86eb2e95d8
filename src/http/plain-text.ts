import { toPlainLine } from '../bytes/plain-text.ts';

/**
 * Bytes of an error text. A go command shows 8 lines and 648 bytes of it, and nothing if a control
 * character is in it.
 */
const MAX_BYTES = 590;

/**
 * One line of plain text for a go command: `text` without control characters and line ends, cut to
 * fit, followed by the request id. Source of the limits: cmd/go/internal/web/api.go.
 */
export function errorText(text: string, requestId: string): string {
  const end = ` (request ${requestId})\n`;
  return cut(toPlainLine(text), MAX_BYTES - end.length) + end;
}

function cut(text: string, maxBytes: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxBytes) return text;
  // A character that the cut went through decodes to U+FFFD: it is left out.
  const kept = new TextDecoder().decode(bytes.subarray(0, maxBytes - 3)).replace(/\uFFFD+$/, '');
  return `${kept}…`;
}
