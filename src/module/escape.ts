/**
 * Names that any file system can hold.
 *
 * Module paths and versions are case-sensitive, and they become file names: in the module cache of
 * every user, in a bucket, in a copy of that bucket on a Mac or a Windows disk. There
 * `github.com/Azure` and `github.com/azure` would be one directory, so an upper-case letter is
 * written as `!` and its lower-case form. The escape is a bijection only because it is strict: `!`
 * is legal in neither a path nor a version, and an escaped name never contains an upper-case
 * letter. A lenient reader would give one file two addresses, and with them two cache entries.
 *
 * For the same reason the names that Windows keeps for devices are refused instead of escaped.
 */

/**
 * Anything non-ASCII, a raw upper-case letter, or a `!` that does not stand before a lower-case
 * letter.
 */
const NOT_ESCAPED = /[A-Z\u0080-\uffff]|!(?![a-z])/;

/**
 * The device names count with any extension and in any case: `aux`, `Aux.txt` and `COM1.tar.gz` all
 * open a device. As strings.EqualFold compares: no letter outside of ASCII equals one of these.
 */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.|$)/i;

/**
 * Returns `text` with every upper-case ASCII letter as `!` and its lower-case form: `Azure` becomes
 * `!azure`.
 *
 * The result can be reversed only if `text` is ASCII without `!`, which holds for every parsed path
 * and version. Source: golang.org/x/mod module.escapeString.
 */
export function escapeUpperCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/**
 * Returns the text that `escaped` stands for, or undefined when no text is escaped like that.
 * Source: golang.org/x/mod module.unescapeString.
 */
export function unescapeUpperCase(escaped: string): string | undefined {
  if (NOT_ESCAPED.test(escaped)) return undefined;
  return escaped.replace(/![a-z]/g, (pair) => pair.slice(1).toUpperCase());
}

/**
 * Reports whether Windows would open a device instead of a file of this name.
 * Source: golang.org/x/mod module.checkElem, badWindowsNames.
 */
export function isWindowsDeviceName(element: string): boolean {
  return WINDOWS_DEVICE.test(element);
}
