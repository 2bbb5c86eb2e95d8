// Names that are the same on some file systems: golang.org/x/mod/zip strToFold, by the orbits of
// Go's unicode.SimpleFold. These are the simple case foldings of Unicode (CaseFolding.txt, status C
// and S), which JavaScript has in regular expressions only. toLowerCase joins characters that they
// keep apart, and keeps apart others that they join.

/**
 * Returns a text that is equal for two paths exactly if they are equal but for case by Go's rules.
 */
export function foldCase(path: string): string {
  // Most paths look like this, and are their own fold: an orbit with a lower-case ASCII letter
  // folds to that letter.
  if (/^[\0-@[-\x7f]*$/.test(path)) return path;
  if (/^[\0-\x7f]*$/.test(path)) return path.toLowerCase();
  return Array.from(path, foldCharacter).join('');
}

// Orbits that toUpperCase followed by toLowerCase would split, as their members have different
// mappings to several characters; and the dotless i, which the two would join with the i, although
// Unicode does so for Turkic languages only.
const EXCEPTIONS = new Map([
  ['\u1fd3', '\u0390'],
  ['\u1fe3', '\u03b0'],
  ['\ufb06', '\ufb05'],
  ['\u0131', '\u0131'],
]);

function foldCharacter(character: string): string {
  return EXCEPTIONS.get(character) ?? simple(simple(character, 'toUpperCase'), 'toLowerCase');
}

/**
 * A mapping to several characters, such as that of ß to SS, is not a simple one: the character then
 * stays as it is.
 */
function simple(character: string, map: 'toUpperCase' | 'toLowerCase'): string {
  const mapped = character[map]();
  return mapped.length > 1 && Array.from(mapped).length > 1 ? character : mapped;
}
