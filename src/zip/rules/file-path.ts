// What the path of a file in a module may be: golang.org/x/mod/module CheckFilePath, which the go
// command applies when it unpacks a zip. The rules keep a module usable on every file system, and
// their author calls them final, so they are followed to the letter: a path that Go accepts and
// modferry refused would be a module that cannot be had.

/**
 * Returns why Go refuses the path of a file, relative to the root of its module, or undefined if it
 * accepts it.
 */
export function findPathProblem(path: string): string | undefined {
  for (const element of path.split('/')) {
    const problem = findElementProblem(element);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

// Letters by Unicode, digits and marks by ASCII: no combining marks, and none of " ' * < > ? ` | \
// : which shells or Windows would take for something else.
const ELEMENT = /^[\p{L}0-9!#$%&()+,\-.=@[\]^_{}~ ]+$/u;

// As strings.EqualFold compares, for none of these letters has an equal outside of ASCII.
const WINDOWS_NAME = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.|$)/i;

function findElementProblem(element: string): string | undefined {
  if (element === '' || element === '.' || element === '..') return 'is not a clean path';
  if (element.endsWith('.')) return 'has a path element that ends with a dot';
  if (!ELEMENT.test(element)) return 'has a character that Go does not allow in a path';
  if (WINDOWS_NAME.test(element)) return 'has a path element that Windows reserves';
  return undefined;
}
