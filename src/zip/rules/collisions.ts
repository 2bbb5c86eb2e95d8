import { describePath } from '../read/describe-name.ts';
import { foldCase } from './fold.ts';

interface Seen {
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * Returns a function that takes the paths of a zip one by one, and returns the first way in which a
 * path collides with an earlier one: the same but for case, a file twice, or a file that is also a
 * directory, parents included. The text follows the entry's name. Source: golang.org/x/mod/zip
 * collisionChecker.
 */
export function trackCollisions(): (path: string, isDirectory: boolean) => string | undefined {
  const seen = new Map<string, Seen>();
  return (path, isDirectory) => {
    // Case is folded character by character, so that the fold of a parent is a part of the fold of
    // its child.
    let fold = foldCase(path);
    for (let kind = isDirectory; ; kind = true) {
      const other = seen.get(fold);
      if (other) {
        // The parents of a directory were seen with it.
        return findCollision(path, kind, other);
      }
      seen.set(fold, { path, isDirectory: kind });
      const slash = path.lastIndexOf('/');
      if (slash < 0) return undefined;
      path = path.slice(0, slash);
      fold = fold.slice(0, fold.lastIndexOf('/'));
    }
  };
}

function findCollision(path: string, isDirectory: boolean, other: Seen): string | undefined {
  if (path !== other.path)
    return `collides with "${describePath(other.path)}", but for case the same path`;
  if (isDirectory !== other.isDirectory) return 'is both a file and a directory';
  return isDirectory ? undefined : 'occurs twice';
}
