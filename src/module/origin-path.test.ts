import { expect, it } from 'vitest';
import { originPath } from './origin-path.ts';

it.each([
  ['golang.org/x/text/@v/list', '/golang.org/x/text/@v/list'],
  ['github.com/!azure/sdk/@latest', '/github.com/%21azure/sdk/@latest'],
  ['example.com/a/@v/v2.0.0+incompatible.zip', '/example.com/a/@v/v2.0.0+incompatible.zip'],
  ['example.com/a/@v/feature branch.info', '/example.com/a/@v/feature%20branch.info'],
  ['example.com/a/@v/a?b#c.info', '/example.com/a/@v/a%3Fb%23c.info'],
  ["example.com/a/@v/x'(y)*.info", '/example.com/a/@v/x%27%28y%29%2A.info'],
  ['example.com/a/@v/$&+,:;=@.info', '/example.com/a/@v/$&+%2C:%3B=@.info'],
  ['example.com/a/@v/é.info', '/example.com/a/@v/%C3%A9.info'],
])('the file %s is requested at %s', (key, path) => {
  expect(originPath(key)).toBe(path);
});
