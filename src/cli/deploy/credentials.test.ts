import { expect, it } from 'vitest';
import { credentialsIn } from './credentials.ts';

it.each([
  ['{"type":"oauth","token":"t"}\n', { Authorization: 'Bearer t' }],
  ['{"type":"api_token","token":"t"}', { Authorization: 'Bearer t' }],
  [
    '{"type":"api_key","key":"k","email":"me@example.com"}',
    { 'X-Auth-Key': 'k', 'X-Auth-Email': 'me@example.com' },
  ],
  ['', undefined],
  ['Not logged in {', undefined],
  ['{"type":"api_token","token":"a\\nb"}', undefined],
])('what wrangler writes is read: %j', (stdout, headers) => {
  expect(credentialsIn(stdout)).toEqual(headers);
});
