// What the path of a file in a module may be: golang.org/x/mod/module CheckFilePath, which the go
// command applies when it unpacks a zip. The rules keep a module usable on every file system. Go's
// source calls them final, so they are followed to the letter: if modferry refused a path that Go
// accepts, nobody could download that module.
import { isWindowsDeviceName } from '../../module/escape.ts';

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

// Letters of Unicode; digits and punctuation of ASCII. No combining marks, and none of the
// characters " ' * < > ? ` | \ : which have a meaning in shells or on Windows.
const ELEMENT = /^[\p{L}0-9!#$%&()+,\-.=@[\]^_{}~ ]+$/u;

function findElementProblem(element: string): string | undefined {
  if (element === '' || element === '.' || element === '..') return 'is not a clean path';
  if (element.endsWith('.')) return 'has a path element that ends with a dot';
  if (!ELEMENT.test(element)) return 'has a character that Go does not allow in a path';
  if (isWindowsDeviceName(element)) return 'has a path element that Windows reserves';
  return undefined;
}
