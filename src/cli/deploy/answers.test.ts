import { describe, expect, it } from 'vitest';
import { knownAnswers, parseHost, type Sources } from './answers.ts';
import { type Manifest, parseManifest } from './manifest.ts';

function manifest(extra: object = {}): Manifest {
  const parsed = parseManifest({ name: 'modferry', main: 'src/worker.ts', ...extra });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

function known(sources: Partial<Sources>) {
  const defaults = { flags: {}, environment: {}, manifest: manifest(), saved: {} };
  return knownAnswers({ ...defaults, ...sources });
}

describe('an answer is taken from the first that has it:', () => {
  const flags = { host: 'flag.example.com', plan: 'paid' };
  const environment = { DEPLOY_HOST: 'env.example.com', DEPLOY_PLAN: 'free' };
  const routes = [{ pattern: 'toml.example.com', custom_domain: true }];
  const saved = { host: 'saved.example.com', plan: 'free' } as const;
  it.each<[string, Partial<Sources>, string, string | undefined]>([
    ['flag', { flags, environment, saved }, 'flag.example.com', 'paid'],
    ['environment', { environment, saved }, 'env.example.com', 'free'],
    ['wrangler.toml', { manifest: manifest({ routes }), saved }, 'toml.example.com', 'free'],
    ['last run', { saved }, 'saved.example.com', 'free'],
    ['an empty variable is none', { environment: { DEPLOY_HOST: '' }, saved }, saved.host, 'free'],
  ])('%s', (_, sources, host, plan) => {
    expect(known(sources)).toMatchObject({ value: { host, plan } });
  });
});

it.each([
  ['all', undefined],
  ['', undefined],
  ['mod', 'mod'],
  ['off', 'off'],
])('VERIFY = %j in wrangler.toml decides: %s', (VERIFY, verify) => {
  expect(known({ manifest: manifest({ vars: { VERIFY } }) })).toMatchObject({ value: { verify } });
});

it.each([
  ['go.example.com', 'go.example.com'],
  [' Go.Example.COM ', 'go.example.com'],
  ['example.com', 'example.com'],
  ['https://go.example.com', undefined],
  ['go.example.com/', undefined],
  ['go.example.com:8443', undefined],
  ['localhost', undefined],
  ['192.0.2.1', undefined],
  ['*.example.com', undefined],
  ['modferry.jane.workers.dev', undefined],
  [`${'a'.repeat(63)}.example.com`, `${'a'.repeat(63)}.example.com`],
  [`${'a'.repeat(64)}.example.com`, undefined],
  [`${'a.'.repeat(121)}example.com`, `${'a.'.repeat(121)}example.com`],
  [`${'a.'.repeat(122)}example.com`, undefined],
  ['', undefined],
])('the host %j is taken as %s', (text, host) => {
  const parsed = parseHost(text);
  expect(parsed.ok ? parsed.value : undefined).toBe(host);
});

it.each([
  ['1', true],
  ['true', true],
  ['Yes', true],
  ['0', false],
  ['false', false],
  ['no', false],
])('DEPLOY_WITHOUT_R2=%s means %s', (DEPLOY_WITHOUT_R2, withoutR2) => {
  expect(known({ environment: { DEPLOY_WITHOUT_R2 } })).toMatchObject({ value: { withoutR2 } });
});

it('an empty DEPLOY_WITHOUT_R2 leaves the answer of the last run', () => {
  const environment = { DEPLOY_WITHOUT_R2: '' };
  const saved = { withoutR2: true };
  expect(known({ environment, saved })).toMatchObject({ value: { withoutR2: true } });
});

it('another DEPLOY_WITHOUT_R2 is refused by name, together with a wrong plan', () => {
  const environment = { DEPLOY_WITHOUT_R2: 'on', DEPLOY_PLAN: 'gratis' };
  expect(known({ environment })).toMatchObject({
    reason: [
      expect.stringContaining('plan "gratis"'),
      expect.stringContaining('DEPLOY_WITHOUT_R2="on": write true or false'),
    ],
  });
});
