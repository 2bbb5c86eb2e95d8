// Names that some file systems take for the same: golang.org/x/mod/zip strToFold, by the orbits of
// Go's unicode.SimpleFold. These are the simple case foldings of Unicode (CaseFolding.txt, status C
// and S), which JavaScript has in regular expressions alone; toLowerCase does more here and less
// there.

/**
 * Returns a text that is the same for two paths exactly if Go takes them for the same but for case.
 */
export function foldCase(path: string): string {
  // Most paths look like this; they are their own fold, as each orbit with a small ASCII letter is
  // folded to that.
  if (/^[\0-@[-\x7f]*$/.test(path)) return path;
  if (/^[\0-\x7f]*$/.test(path)) return path.toLowerCase();
  return Array.from(path, foldCharacter).join('');
}

// Orbits that toUpperCase and then toLowerCase would split, for their members have different
// mappings to several characters; and the dotless i, which they would join to the i of English
// though Unicode folds it in Turkic only.
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
 * A mapping to several characters, such as that of ß to SS, is no simple one: the character stays
 * as it is.
 */
function simple(character: string, map: 'toUpperCase' | 'toLowerCase'): string {
  const mapped = character[map]();
  return mapped.length > 1 && Array.from(mapped).length > 1 ? character : mapped;
}
