import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakePlatform, startPlatform } from '../../../test/fakes/cloudflare/platform.ts';
import { parseTokens } from '../../access/token.ts';
import { platformApi } from './api.ts';
import { processEffects } from './effects.ts';
import { checkTokens, ensureToken, type TokenOptions } from './token.ts';

let platform: FakePlatform;
beforeEach(async () => {
  platform = await startPlatform();
  platform.state.worker = { bindings: [] };
});
afterEach(() => platform.close());

function ensure(options: Partial<TokenOptions> = {}) {
  const credentials = { Authorization: 'Bearer api-token' };
  const api = platformApi({ baseUrl: platform.url, credentials });
  const defaults = { account: 'a1', worker: 'modferry', given: undefined, random: () => 'r' };
  return ensureToken(api, { ...defaults, ...options });
}

it('a token is made once', async () => {
  expect(await ensure()).toEqual({ ok: true, value: { kind: 'made', token: 'r' } });
  expect(platform.state.secrets.get('TOKENS')).toBe('admin:admin:r');
  expect(await ensure()).toEqual({ ok: true, value: { kind: 'kept' } });
});

it('the token that is made is one that modferry starts with', async () => {
  await ensure({ random: processEffects().random });
  const tokens = parseTokens(platform.state.secrets.get('TOKENS') ?? '');
  expect(tokens).toMatchObject({ ok: true, value: [{ name: 'admin', scope: 'admin' }] });
});

it('no token is made where nobody may read it', async () => {
  expect(await ensure({ random: undefined })).toEqual({ ok: true, value: { kind: 'none' } });
  expect(platform.state.secrets.size).toBe(0);
});

it('TOKENS of the environment replaces the secret', async () => {
  await ensure();
  await ensure({ given: 'me:read:x' });
  expect(platform.state.secrets.get('TOKENS')).toBe('me:read:x');
});

it.each([/^GET .*secrets/, /^PUT .*secrets/])('%s that fails makes none', async (call) => {
  platform.failOnce(call);
  expect(await ensure()).toMatchObject({ ok: false });
  expect(await ensure()).toMatchObject({ ok: true, value: { kind: 'made' } });
});

it.each([
  [undefined, true],
  ['a:read:0123456789abcdef', true],
  ['a:read:0123456789abcdef,b:admin:0123456789abcdeF', true],
  ['a:read:0123456789abcde', false],
  ['0123456789abcdef', false],
  ['a:write:0123456789abcdef', false],
  ['a:read:0123456789abcdef,', false],
])('TOKENS %j is taken: %s', (text, isTaken) => {
  expect(checkTokens(text).ok).toBe(isTaken);
});
