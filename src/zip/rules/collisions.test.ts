import { expect, it } from 'vitest';
import { trackCollisions } from './collisions.ts';

/** The problem with the last of the paths; a directory ends in a slash. */
function collide(...paths: readonly string[]): string | undefined {
  const findCollision = trackCollisions();
  const problems = paths.map((path) => findCollision(path.replace(/\/$/, ''), path.endsWith('/')));
  expect(problems.slice(0, -1).filter((problem) => problem !== undefined)).toEqual([]);
  return problems.at(-1);
}

it.each([
  [['a', 'b', 'c/a', 'c/b']],
  [['c/', 'c/']],
  [['c/', 'c/a']],
  [['c/a', 'c/']],
  [['c/d/a', 'c/b']],
])('%j do not collide', (paths) => {
  expect(collide(...paths)).toBeUndefined();
});

it.each([
  [['a', 'a'], 'occurs twice'],
  [['a', 'a/'], 'is both a file and a directory'],
  [['a', 'a/b'], 'is both a file and a directory'],
  [['a/b', 'a'], 'is both a file and a directory'],
  [['a', 'A'], 'collides with "a", but for case the same path'],
  [['a/b', 'A/c'], 'collides with "a", but for case the same path'],
  [['d/K', 'd/\u212a'], 'collides with "d/K", but for case the same path'],
])('%j collide: the last one %s', (paths, problem) => {
  expect(collide(...paths)).toBe(problem);
});
