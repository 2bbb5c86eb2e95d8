/**
 * Text that others wrote, made fit for a terminal, a log line or an error message.
 *
 * The author of a module chooses the names in its zip, an origin the text of its errors, and anyone
 * the path of a request. Escape sequences could repaint a terminal, a line break could forge a line
 * of a log, and marks for the direction of text could show a name that is not there. The go command
 * shows nothing at all of an error text with a control character.
 */

/** Escape sequences and other controls, format characters, line and paragraph separators. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** As `STEERING`, with everything that has no shape of its own, and all white space. */
const SHAPELESS = /[\p{C}\p{Z}]+/gu;

/**
 * `text` with U+FFFD for each character that could steer a terminal. For names and keys: the length
 * stays, and a reader sees where something was replaced.
 */
export function maskControls(text: string): string {
  return text.replaceAll(STEERING, '\ufffd');
}

/**
 * `text` as one line: each run of white space, control and format characters is one space, and none
 * is at the ends. For sentences.
 */
export function toPlainLine(text: string): string {
  return text.replaceAll(SHAPELESS, ' ').trim();
}
